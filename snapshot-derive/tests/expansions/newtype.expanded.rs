const _: () = {
    use ::snapshot_core::__private as __s;
    use __s::{Losing as _, NoFit as _, NotConverted as _};
    #[automatically_derived]
    impl __s::Sealed for Name {}
    #[automatically_derived]
    impl<__K: __s::kind::Kind> __s::Wire<__K> for Name
    where
        for<'__a> String: __s::Wire<__K>,
    {
        const LEAF: __s::bool = <String as __s::Wire<__K>>::LEAF;
        const FORM: __s::ValueForm = <String as __s::Wire<__K>>::FORM;
        const INSIDE: __s::StatesInside = <String as __s::Wire<__K>>::INSIDE;
        fn put(&self, __w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
            <String as __s::Wire<__K>>::put(&self.0, __w)
        }
        fn put_tagged(
            &self,
            __number: __s::u32,
            __w: &mut __s::Writer,
        ) -> __s::Result<(), __s::Error> {
            <String as __s::Wire<__K>>::put_tagged(&self.0, __number, __w)
        }
        fn size(&self) -> __s::usize {
            <String as __s::Wire<__K>>::size(&self.0)
        }
        fn take(__r: &mut __s::Reader<'_>) -> __s::Result<Self, __s::Error> {
            let __inner: String = <String as __s::Wire<__K>>::take(__r)?;
            let __value = Name { 0: __inner };
            __s::validate(is_a_name(&__value), __s::unnamed)?;
            __s::Ok(__value)
        }
        fn is_default(&self) -> __s::bool {
            <String as __s::Wire<__K>>::is_default(&self.0)
        }
        fn of_default() -> __s::Result<Self, __s::Error> {
            let __inner: String = <String as __s::Wire<__K>>::of_default()?;
            let __value = Name { 0: __inner };
            __s::validate(is_a_name(&__value), __s::unnamed)?;
            __s::Ok(__value)
        }
        fn visit(&self, __visit: &mut __s::Visit<'_>) -> __s::Result<(), __s::Error> {
            <String as __s::Wire<__K>>::visit(&self.0, __visit)
        }
    }
    #[automatically_derived]
    impl<__F> __s::WireField<__F> for Name
    where
        for<'__a> String: __s::WireField<__F>,
    {
        const LEAF: __s::bool = <String as __s::WireField<__F>>::LEAF;
        const FORM: __s::FieldForm = <String as __s::WireField<__F>>::FORM;
        const INSIDE: __s::StatesInside = <String as __s::WireField<__F>>::INSIDE;
        type Slot = <String as __s::WireField<__F>>::Slot;
        fn put_field(
            &self,
            __number: __s::u32,
            __w: &mut __s::Writer,
        ) -> __s::Result<__s::u32, __s::Error> {
            <String as __s::WireField<__F>>::put_field(&self.0, __number, __w)
        }
        fn field_size(&self, __number: __s::u32) -> __s::usize {
            <String as __s::WireField<__F>>::field_size(&self.0, __number)
        }
        fn take_field(
            __slot: &mut Self::Slot,
            __tag: __s::Tag,
            __r: &mut __s::Reader<'_>,
        ) -> __s::Result<(), __s::Error> {
            <String as __s::WireField<__F>>::take_field(__slot, __tag, __r)
        }
        fn finish_field(
            __slot: Self::Slot,
            __error: &mut __s::Option<__s::Error>,
        ) -> __s::Option<Self> {
            let __inner = <String as __s::WireField<
                __F,
            >>::finish_field(__slot, __error)?;
            let __value = Name { 0: __inner };
            match __s::validate(is_a_name(&__value), __s::unnamed) {
                __s::Ok(()) => __s::Some(__value),
                __s::Err(__why) => {
                    *__error = __s::Some(__why);
                    __s::None
                }
            }
        }
        fn visit_field(
            &self,
            __visit: &mut __s::Visit<'_>,
        ) -> __s::Result<(), __s::Error> {
            <String as __s::WireField<__F>>::visit_field(&self.0, __visit)
        }
    }
    #[automatically_derived]
    impl<__K: __s::kind::Kind> __s::WireKey<__K> for Name
    where
        for<'__a> String: __s::WireKey<__K>,
    {
        fn wire_cmp(&self, __other: &Self) -> __s::Ordering {
            <String as __s::WireKey<__K>>::wire_cmp(&self.0, &__other.0)
        }
        fn wire_prefix(&self) -> __s::u64 {
            <String as __s::WireKey<__K>>::wire_prefix(&self.0)
        }
        fn key_text(&self) -> __s::String {
            <String as __s::WireKey<__K>>::key_text(&self.0)
        }
    }
    #[automatically_derived]
    impl __s::NeverDefault for Name
    where
        for<'__a> String: __s::NeverDefault,
    {}
    #[automatically_derived]
    impl __s::Length for Name
    where
        for<'__a> String: __s::Length,
    {
        const UNIT: &'static __s::str = <String as __s::Length>::UNIT;
        fn length(&self) -> __s::usize {
            __s::Length::length(&self.0)
        }
    }
    #[automatically_derived]
    impl __s::Reference for Name
    where
        for<'__a> String: __s::Reference,
    {
        fn add_names(&self, __names: &mut __s::Names<'_>) {
            __s::Reference::add_names(&self.0, __names);
        }
    }
    #[automatically_derived]
    impl __s::ReferenceValues for Name
    where
        for<'__a> String: __s::ReferenceValues,
    {
        fn add_value_names(&self, __names: &mut __s::Names<'_>) {
            __s::ReferenceValues::add_value_names(&self.0, __names);
        }
    }
};
