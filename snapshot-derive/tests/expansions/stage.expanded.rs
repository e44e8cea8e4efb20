const _: () = {
    use ::snapshot_core::__private as __s;
    use __s::{Losing as _, NoFit as _, NotConverted as _};
    type __E = pb::DiskStage;
    const __DESCRIPTOR: &__s::EnumDescriptor = <__E as __s::EnumSchema>::DESCRIPTOR;
    const _: () = __s::assert_value(
        "DiskStage::Reserved",
        DiskStage::Reserved as __s::i128,
        __DESCRIPTOR,
        "Reserved",
        false,
        true,
    );
    const _: () = __s::assert_value(
        "DiskStage::Plugged",
        DiskStage::Plugged as __s::i128,
        __DESCRIPTOR,
        "Attached",
        true,
        true,
    );
    const _: () = __s::assert_fits_i32(
        "DiskStage::Migrating",
        DiskStage::Migrating as __s::i128,
    );
    const _: () = __s::assert_zero(
        "DiskStage::Reserved",
        DiskStage::Reserved as __s::i128,
    );
    const _: () = __s::assert_all_values(
        "DiskStage",
        __DESCRIPTOR,
        &["Reserved", "Attached"],
    );
    #[automatically_derived]
    impl __s::Stage for DiskStage {
        type Proto = pb::DiskStage;
        const VARIANTS: &'static [__s::StageVariant] = &[
            __s::StageVariant {
                name: "Reserved",
                number: DiskStage::Reserved as __s::i32,
                transient: false,
            },
            __s::StageVariant {
                name: "Plugged",
                number: DiskStage::Plugged as __s::i32,
                transient: false,
            },
            __s::StageVariant {
                name: "Migrating",
                number: DiskStage::Migrating as __s::i32,
                transient: true,
            },
        ];
        fn number(&self) -> __s::i32 {
            match self {
                DiskStage::Reserved => DiskStage::Reserved as __s::i32,
                DiskStage::Plugged => DiskStage::Plugged as __s::i32,
                DiskStage::Migrating => DiskStage::Migrating as __s::i32,
            }
        }
        fn from_number(__number: __s::i32) -> __s::Option<Self> {
            if __number == DiskStage::Reserved as __s::i32 {
                return __s::Some(DiskStage::Reserved);
            }
            if __number == DiskStage::Plugged as __s::i32 {
                return __s::Some(DiskStage::Plugged);
            }
            if __number == DiskStage::Migrating as __s::i32 {
                return __s::Some(DiskStage::Migrating);
            }
            __s::None
        }
    }
    #[automatically_derived]
    impl __s::Sealed for DiskStage {}
    #[automatically_derived]
    impl __s::Single for DiskStage {}
    #[automatically_derived]
    impl __s::Wire<__s::kind::Enum<__E>> for DiskStage {
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
