#[allow(deprecated, non_camel_case_types, non_snake_case)]
const _: () = {
    use ::snapshot_core::__private as __s;
    use __s::{NoName as _, OpaqueShape as _};
    ///The typed fields of `Disk`.
    pub struct DiskFields {
        pub stage: __s::Field<__s::kind::Singular<__s::kind::Enum<DiskStage>>>,
        pub host_path: __s::Field<__s::kind::Singular<__s::kind::String>>,
        pub mounts: __s::Field<
            __s::kind::Map<__s::kind::String, __s::kind::Message<Mount>>,
        >,
        pub backend: __s::Field<__s::kind::Oneof<disk::Backend>>,
    }
    #[automatically_derived]
    impl __s::SealedSchema for Disk {}
    #[automatically_derived]
    impl __s::Schema for Disk {
        type Fields = DiskFields;
        const FIELDS: DiskFields = DiskFields {
            stage: __s::field(1u32, "stage"),
            host_path: __s::field(3u32, "host_path"),
            mounts: __s::field(4u32, "mounts"),
            backend: __s::field(5u32, "backend"),
        };
        const DESCRIPTOR: &'static __s::MessageDescriptor = &__s::MessageDescriptor {
            name: "Disk",
            full_name: || __s::NameOf::<Disk>::new().full_name("Disk"),
            fields: &[
                __s::FieldDescriptor {
                    number: 1u32,
                    name: "stage",
                    shape: __s::ShapeOf::<
                        __s::kind::Singular<__s::kind::Enum<DiskStage>>,
                    >::SHAPE,
                },
                __s::FieldDescriptor {
                    number: 3u32,
                    name: "host_path",
                    shape: __s::scalar_shapes::singular::String,
                },
                __s::FieldDescriptor {
                    number: 4u32,
                    name: "mounts",
                    shape: __s::ShapeOf::<
                        __s::kind::Map<__s::kind::String, __s::kind::Message<Mount>>,
                    >::SHAPE,
                },
                __s::FieldDescriptor {
                    number: 5u32,
                    name: "backend",
                    shape: __s::ShapeOf::<__s::kind::Oneof<disk::Backend>>::SHAPE,
                },
            ],
        };
    }
};
