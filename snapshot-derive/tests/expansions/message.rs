pub struct Disk {
    #[prost(string, tag = "3")]
    pub host_path: ::prost::alloc::string::String,
    #[prost(enumeration = "DiskStage", tag = "1")]
    pub stage: i32,
    #[prost(map = "string, message", tag = "4")]
    pub mounts: ::std::collections::HashMap<::prost::alloc::string::String, Mount>,
    #[prost(oneof = "disk::Backend", tags = "5, 6")]
    pub backend: ::core::option::Option<disk::Backend>,
}
