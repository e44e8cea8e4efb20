//! The classes of failures.

use std::fmt;

/// The class of a failure. The names are those of gRPC and ttrpc status codes, so that a server can
/// return a code as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Code {
    /// The input is wrong regardless of the state of the system: a value, an identifier, a type URL.
    InvalidArgument,
    /// The input is not valid in this state: a stage that cannot be saved, a wrong phase.
    FailedPrecondition,
    /// The bytes are damaged: truncated, malformed, or with a digest that does not match.
    DataLoss,
    /// This build does not support the request: an unknown version, an unregistered type.
    Unimplemented,
    /// The operation needs more than a limit allows: a snapshot would take more memory than its reader
    /// allows, or a name is too long.
    ResourceExhausted,
    /// A phase or a hook exceeded its deadline.
    DeadlineExceeded,
    /// The migration was cancelled.
    Cancelled,
    /// A broken invariant of this program: a hook that panicked, a registry that contradicts itself.
    Internal,
}

impl Code {
    /// All codes.
    ///
    /// ```
    /// use snapshot_core::Code;
    ///
    /// assert!(Code::ALL.contains(&Code::DataLoss));
    /// ```
    pub const ALL: &'static [Self] = &[
        Code::InvalidArgument,
        Code::FailedPrecondition,
        Code::DataLoss,
        Code::Unimplemented,
        Code::ResourceExhausted,
        Code::DeadlineExceeded,
        Code::Cancelled,
        Code::Internal,
    ];

    /// The name of the code as gRPC spells it, such as `INVALID_ARGUMENT`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::InvalidArgument => "INVALID_ARGUMENT",
            Code::FailedPrecondition => "FAILED_PRECONDITION",
            Code::DataLoss => "DATA_LOSS",
            Code::Unimplemented => "UNIMPLEMENTED",
            Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Code::Cancelled => "CANCELLED",
            Code::Internal => "INTERNAL",
        }
    }

    /// Returns the code with this name; `None` if there is none.
    ///
    /// ```
    /// use snapshot_core::Code;
    ///
    /// assert_eq!(Code::from_name("DATA_LOSS"), Some(Code::DataLoss));
    /// assert_eq!(Code::from_name("NOT_FOUND"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
