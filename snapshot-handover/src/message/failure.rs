//! The reasons of a side, in messages and in a ledger.

use snapshot_core::{Code, Error, Snapshot};

use super::printable::printable;
use super::v1;

/// The maximum number of characters in one finding's text.
const TEXT_LIMIT: usize = 4096;

/// The reasons of a side: each finding with its code and its text.
///
/// ```
/// use snapshot_core::{Code, Error};
/// use snapshot_handover::message::Failure;
///
/// let failure = Failure::from(&Error::precondition("the disk is in use"));
/// let error = Error::from(failure);
/// assert_eq!(error.code(), Code::FailedPrecondition);
/// assert_eq!(error.to_string(), "the disk is in use");
/// ```
#[derive(Snapshot, Clone, Debug, PartialEq, Eq)]
#[snapshot(message = v1::Failure, validate = has_a_finding)]
pub struct Failure {
    /// The findings: at least one, at most [`Error::LIMIT`]. If there were more, the last one has the number
    /// of the others as its text.
    #[snapshot(max = 256)]
    pub findings: Vec<Finding>,
}

fn has_a_finding(failure: &Failure) -> Result<(), &'static str> {
    if failure.findings.is_empty() { Err("a failure needs a finding") } else { Ok(()) }
}

/// One reason.
#[derive(Snapshot, Clone, Debug, PartialEq, Eq)]
#[snapshot(message = v1::failure::Finding)]
pub struct Finding {
    /// The code, as gRPC spells it. An unknown code is read as `INTERNAL`.
    #[snapshot(max = 64)]
    pub code: String,
    /// The text, with the controller and the field.
    #[snapshot(max = 65_536)]
    pub text: String,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let finding = |finding: &snapshot_core::Finding| Finding {
            code: finding.code().as_str().to_owned(),
            text: printable(&finding.to_string(), TEXT_LIMIT),
        };
        let mut findings: Vec<_> = error.findings().map(finding).collect();
        // In place of the last finding, because every build reads at most `Error::LIMIT` of them.
        if let (1.., Some(last)) = (error.dropped(), findings.last_mut()) {
            last.text = format!("and {} more", error.dropped() + 1);
        }
        Self { findings }
    }
}

impl From<Failure> for Error {
    /// Creates the error of the other side. Control characters in it are escaped.
    fn from(failure: Failure) -> Self {
        let error = |finding: &Finding| {
            Error::new(code(&finding.code), printable(&finding.text, TEXT_LIMIT))
        };
        let all = failure.findings.iter().map(error).reduce(Error::and);
        all.unwrap_or_else(|| Error::internal("the other side gave no reason"))
    }
}

fn code(name: &str) -> Code {
    Code::from_name(name).unwrap_or(Code::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_findings_keep_their_codes_and_texts() {
        let errors = Code::ALL.iter().map(|&code| Error::new(code, "a reason"));
        let error = Error::collect(errors).unwrap_err();
        let back = Error::from(Failure::from(&error));
        let of = |error: &Error| -> Vec<_> {
            error.findings().map(|f| (f.code(), f.to_string())).collect()
        };
        assert_eq!(of(&back), of(&error));
    }

    #[test]
    fn findings_beyond_the_limit_are_counted_in_the_last_one() {
        let of = |count: usize| {
            let errors = (0..count).map(|_| Error::invalid("x"));
            let failure = Failure::from(&Error::collect(errors).unwrap_err());
            let sent = snapshot_core::codec::to_bytes(&failure).unwrap();
            let received: Failure = snapshot_core::codec::from_bytes(&sent).unwrap();
            Error::from(received).to_string()
        };
        assert!(of(Error::LIMIT).ends_with("x\nx"));
        let shown = of(Error::LIMIT + 2);
        assert!(shown.ends_with("x\nx\nand 3 more"), "{shown}");
        assert_eq!(shown.lines().count(), Error::LIMIT);
    }

    #[test]
    fn an_unknown_code_is_internal_and_control_characters_are_escaped() {
        let text = "full\n12:00 INFO all is well".to_owned();
        let finding = Finding { code: "NOT_FOUND".to_owned(), text };
        let error = Error::from(Failure { findings: vec![finding] });
        assert_eq!(error.code(), Code::Internal);
        assert_eq!(error.to_string(), "full\\n12:00 INFO all is well");
    }
}
