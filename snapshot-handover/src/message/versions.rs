//! The version of the protocol, on which both sides agree before anything else.

use snapshot_core::codec::{from_bytes, to_bytes};
use snapshot_core::{Code, Error, Snapshot};

use super::printable::printable;
use super::v1;

/// The versions of the protocol that a build speaks, and its name. The first message on every link.
#[derive(Snapshot, Clone, Debug, PartialEq, Eq)]
#[snapshot(message = v1::Versions, validate = is_a_range)]
pub struct Versions {
    /// The lowest version.
    #[snapshot(range = 1..)]
    pub lowest: u32,
    /// The highest version.
    pub highest: u32,
    /// The name and version of the program.
    #[snapshot(max = 256)]
    pub build: String,
}

fn is_a_range(versions: &Versions) -> Result<(), &'static str> {
    match versions.lowest <= versions.highest {
        true => Ok(()),
        false => Err("the lowest version is above the highest"),
    }
}

/// The version that both sides speak on one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The version.
    pub version: u32,
    ours: Versions,
    theirs: Versions,
}

impl Versions {
    /// The version of the protocol that this build speaks.
    pub const CURRENT: u32 = 1;

    /// Returns the versions that this build speaks, under the name of a program.
    pub fn of(build: &str) -> Self {
        Self { lowest: 1, highest: Self::CURRENT, build: printable(build, 128) }
    }

    /// Encodes the message.
    ///
    /// # Errors
    ///
    /// If the values are out of bounds.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        to_bytes(self)
    }

    /// Decodes the message of the other side.
    ///
    /// # Errors
    ///
    /// If it is not such a message.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let versions: Self = from_bytes(bytes).map_err(|error| {
            Error::new(
                Code::DataLoss,
                format!("the other side did not begin with its versions of the hand-over: {error}"),
            )
        })?;
        Ok(Self { build: printable(&versions.build, 128), ..versions })
    }

    /// Finds the highest version that both sides speak.
    ///
    /// ```
    /// use snapshot_handover::message::Versions;
    ///
    /// let ours = Versions::of("shim 1.0");
    /// let theirs = Versions { lowest: 2, highest: 3, build: "shim 2.0".to_owned() };
    /// let error = ours.agree(&theirs).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "the other side (shim 2.0) speaks versions 2 to 3 of the hand-over, this side (shim 1.0) \
    ///      versions 1 to 1: upgrade this side, which is older",
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// [`Code::Unimplemented`] if there is none. The text says which build is newer.
    pub fn agree(&self, theirs: &Versions) -> Result<Agreed, Error> {
        let version = self.highest.min(theirs.highest);
        if version >= self.lowest.max(theirs.lowest) {
            return Ok(Agreed { version, ours: self.clone(), theirs: theirs.clone() });
        }
        let cure = match theirs.highest > self.highest {
            true => "upgrade this side, which is older",
            false => "upgrade the other side, which is older",
        };
        Err(Error::new(
            Code::Unimplemented,
            format!(
                "the other side ({}) speaks versions {} to {} of the hand-over, this side ({}) \
                 versions {} to {}: {cure}",
                theirs.build, theirs.lowest, theirs.highest, self.build, self.lowest, self.highest
            ),
        ))
    }
}

impl Agreed {
    /// Returns the name of the other side's program.
    pub fn peer(&self) -> &str {
        &self.theirs.build
    }

    /// Explains a message of the other side that cannot be read: says which build is newer.
    pub(crate) fn explain(&self, error: &Error) -> Error {
        let cure = if self.theirs.highest > self.ours.highest {
            "upgrade this side, which is older"
        } else if self.theirs.highest < self.ours.highest {
            "upgrade the other side, which is older"
        } else {
            "both builds have the same newest version, so the sender is broken"
        };
        Error::new(
            error.code(),
            format!(
                "the other side ({}) sent a message that is not in version {} of the hand-over: \
                 {error}; {cure}",
                self.theirs.build, self.version
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speaks(lowest: u32, highest: u32) -> Versions {
        Versions { lowest, highest, build: format!("shim {highest}") }
    }

    #[test]
    fn the_highest_common_version_is_agreed_on() {
        assert_eq!(speaks(1, 3).agree(&speaks(2, 5)).unwrap().version, 3);
        assert_eq!(speaks(2, 5).agree(&speaks(1, 3)).unwrap().version, 3);
    }

    #[test]
    fn without_a_common_version_the_error_says_which_build_is_newer() {
        let error = speaks(4, 5).agree(&speaks(1, 3)).unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented);
        assert!(error.to_string().contains("upgrade the other side, which is older"), "{error}");
        let error = speaks(1, 3).agree(&speaks(4, 5)).unwrap_err();
        assert!(error.to_string().contains("upgrade this side, which is older"), "{error}");
    }

    #[test]
    fn a_stranger_is_refused() {
        let error = Versions::decode(b"GET / HTTP/1.1\r\n").unwrap_err();
        assert_eq!(error.code(), Code::DataLoss);
        assert!(error.to_string().contains("did not begin with its versions"), "{error}");
    }
}
