const _: () = {
    use ::snapshot_core::__private as __s;
    use __s::{Losing as _, NoFit as _, NotConverted as _};
    type __E = pb::Color;
    const __DESCRIPTOR: &__s::EnumDescriptor = <__E as __s::EnumSchema>::DESCRIPTOR;
    const _: () = __s::assert_value(
        "Color::Unknown",
        Color::Unknown as __s::i128,
        __DESCRIPTOR,
        "Unspecified",
        true,
        false,
    );
    const _: () = __s::assert_value(
        "Color::Red",
        Color::Red as __s::i128,
        __DESCRIPTOR,
        "Red",
        false,
        false,
    );
    const _: () = __s::assert_all_values("Color", __DESCRIPTOR, &["Unspecified", "Red"]);
    #[automatically_derived]
    impl __s::Enumeration for Color {
        type Proto = pb::Color;
        const VARIANTS: &'static [__s::StageVariant] = &[
            __s::StageVariant {
                name: "Unknown",
                number: Color::Unknown as __s::i32,
                transient: false,
            },
            __s::StageVariant {
                name: "Red",
                number: Color::Red as __s::i32,
                transient: false,
            },
        ];
        fn number(&self) -> __s::i32 {
            match self {
                Color::Unknown => Color::Unknown as __s::i32,
                Color::Red => Color::Red as __s::i32,
            }
        }
        fn from_number(__number: __s::i32) -> __s::Option<Self> {
            if __number == Color::Unknown as __s::i32 {
                return __s::Some(Color::Unknown);
            }
            if __number == Color::Red as __s::i32 {
                return __s::Some(Color::Red);
            }
            __s::None
        }
    }
    #[automatically_derived]
    impl __s::Sealed for Color {}
    #[automatically_derived]
    impl __s::Single for Color {}
    #[automatically_derived]
    impl __s::Wire<__s::kind::Enum<__E>> for Color {
        const LEAF: __s::bool = true;
        fn put(&self, __w: &mut __s::Writer) -> __s::Result<(), __s::Error> {
            __s::put_enumeration(self, __w)
        }
        fn put_tagged(
            &self,
            __number: __s::u32,
            __w: &mut __s::Writer,
        ) -> __s::Result<(), __s::Error> {
            __s::put_enumeration_tagged(self, __number, __w)
        }
        fn size(&self) -> __s::usize {
            __s::enumeration_size(self)
        }
        fn take(__r: &mut __s::Reader<'_>) -> __s::Result<Self, __s::Error> {
            __s::take_enumeration(__r)
        }
        fn of_default() -> __s::Result<Self, __s::Error> {
            __s::default_enumeration()
        }
        fn is_default(&self) -> __s::bool {
            __s::Enumeration::number(self) == 0
        }
    }
};
