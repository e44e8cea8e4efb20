//! The names of forms for values of other kinds, in manifests.

pub(crate) const CHAR: &str = "char";
pub(crate) const IP: &str = "ip";
pub(crate) const IPV4: &str = "ipv4";
pub(crate) const IPV6: &str = "ipv6";
pub(crate) const SOCKET_ADDRESS: &str = "socket address";
#[cfg(feature = "uuid")]
pub(crate) const UUID: &str = "uuid";
#[cfg(feature = "json")]
pub(crate) const JSON: &str = "json";
