//! Identifiers: each kind of id has its own type, so that a container's id cannot be used as a
//! pod's.

use std::fmt;

use snapshot_core::Snapshot;

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Snapshot)]
        #[snapshot(transparent)]
        pub struct $name(String);

        impl $name {
            /// Returns the id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Returns whether the id is empty.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    )*};
}

text_ids! {
    /// A VM's compute system on a host, `sandbox@vm` for instance.
    VmId
    /// A pod on a host. The destination may assign another one.
    PodId
    /// A container on a host. The destination may assign another one.
    ContainerId
    /// A pod or container inside the guest. It never changes, since the guest keeps running.
    GcsId
    /// A process of a container; the init process's is empty.
    ExecId
    /// A network namespace of a host.
    NamespaceId
    /// A network adapter of a VM: a GUID, kept as the host wrote it.
    NicId
    /// A network endpoint of a host, kept as the host wrote it.
    EndpointId
    /// A hardware address as the host writes it, `00-15-5D-52-C0-00`.
    MacAddress
}
