//! The error type of the crate: a list of findings, each with a code, a place and a reason.

mod code;
mod plural;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

pub use self::code::Code;
pub(crate) use self::plural::plural;
use crate::path::{ControllerId, Escaped, FieldPath, Segment};

/// One problem, with its place and its cure.
#[derive(Clone, Debug)]
pub struct Finding {
    code: Code,
    controller: Option<ControllerId>,
    path: FieldPath,
    reason: Cow<'static, str>,
    offset: Option<usize>,
    total: Option<usize>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    /// The address of the controller that it concerns, until the id is known.
    node: Option<usize>,
    /// The controller's path while the error is passed up, innermost step first; `None` outside of a
    /// child payload.
    climbing: Option<Vec<Cow<'static, str>>>,
    /// The payload's own name, which replaces its index.
    name: Option<String>,
    /// Whether the next step outwards is the index or key that `name` replaced.
    named: bool,
    /// Whether the next step outwards is the field with the members of a set, which is not a part of
    /// their ids.
    is_member: bool,
    /// Whether this crate wrote the reason on several lines, such as a difference of two locks.
    keeps_lines: bool,
}

impl Finding {
    /// The class of the failure.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The controller that it concerns, if one is known.
    pub fn controller(&self) -> Option<&ControllerId> {
        self.controller.as_ref()
    }

    /// The field that it concerns; empty if it is not about a field.
    pub fn path(&self) -> &FieldPath {
        &self.path
    }

    /// The reason, without the place.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The byte offset of the problem in the input, from 0.
    pub fn offset(&self) -> Option<usize> {
        self.offset
    }

    /// Whether it reports that the lock of a controller's state was not available.
    pub(crate) fn is_of_a_lock(&self) -> bool {
        self.node.is_some()
    }

    fn push(&mut self, segment: Segment) {
        let Some(climbing) = &mut self.climbing else {
            self.path.push_outwards(segment);
            return;
        };
        match segment {
            Segment::Field(_) if std::mem::take(&mut self.is_member) => {}
            Segment::Field(name) => {
                if std::mem::take(&mut self.named) {
                    // Alone in its field: the field is the name.
                    climbing.pop();
                }
                climbing.push(Cow::Borrowed(name));
            }
            Segment::Index(_) if self.named => self.named = false,
            Segment::Index(index) => climbing.push(Cow::Owned(index.to_string())),
            Segment::Key(_) if self.named => self.named = false,
            Segment::Key(key) => climbing.push(Cow::Owned(ControllerId::escape(&key).into_owned())),
            Segment::Message(_) => {}
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(controller) = &self.controller {
            write!(f, "{controller}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        if self.keeps_lines {
            for (number, line) in self.reason.split('\n').enumerate() {
                let before = if number == 0 { "" } else { "\n" };
                write!(f, "{before}{}", Escaped(line))?;
            }
        } else {
            write!(f, "{}", Escaped(&self.reason))?;
        }
        match (self.offset, self.total) {
            (Some(offset), Some(total)) => write!(f, " (byte {offset} of {total})"),
            (Some(offset), None) => write!(f, " (byte {offset})"),
            _ => Ok(()),
        }
    }
}

/// The cause of a failure: one or more [`Finding`]s. An import reports all problems of a snapshot
/// together, so one error can have many findings.
///
/// ```
/// use snapshot_core::{Code, Error};
///
/// let error = Error::new(Code::FailedPrecondition, "the disk is still being formatted");
/// assert_eq!(error.code(), Code::FailedPrecondition);
/// assert_eq!(error.to_string(), "the disk is still being formatted");
/// ```
#[derive(Clone)]
pub struct Error {
    // Boxed so that a `Result` on the save path stays in one register.
    findings: Box<Findings>,
}

#[derive(Clone)]
struct Findings {
    first: Finding,
    rest: Vec<Finding>,
    /// The number of findings beyond [`Error::LIMIT`].
    dropped: usize,
}

impl Error {
    /// The maximum number of findings in one error; a hostile input could cause millions. Further
    /// findings are counted, see [`Error::dropped`].
    pub const LIMIT: usize = 256;

    /// Creates an error with one finding.
    #[cold]
    pub fn new(code: Code, reason: impl Into<Cow<'static, str>>) -> Self {
        let first = Finding {
            code,
            controller: None,
            path: FieldPath::default(),
            reason: reason.into(),
            offset: None,
            total: None,
            source: None,
            node: None,
            climbing: None,
            name: None,
            named: false,
            is_member: false,
            keeps_lines: false,
        };
        Self { findings: Box::new(Findings { first, rest: Vec::new(), dropped: 0 }) }
    }

    /// Creates an [`Code::InvalidArgument`] error: the value itself is wrong.
    #[cold]
    pub fn invalid(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::InvalidArgument, reason)
    }

    /// Creates a [`Code::FailedPrecondition`] error: the operation is not possible in this state.
    #[cold]
    pub fn precondition(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::FailedPrecondition, reason)
    }

    /// Creates a [`Code::ResourceExhausted`] error: the operation needs more than a limit allows.
    #[cold]
    pub(crate) fn exhausted(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::ResourceExhausted, reason)
    }

    /// Creates a [`Code::Internal`] error: this program broke its own rules.
    #[cold]
    pub fn internal(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Internal, reason)
    }

    /// Marks the reasons as written by this crate on several lines. All other line breaks are displayed
    /// escaped, because the text of a peer must not look like a separate line.
    #[cold]
    #[must_use]
    pub(crate) fn keeping_lines(mut self) -> Self {
        for finding in self.findings_mut() {
            finding.keeps_lines = true;
        }
        self
    }

    /// Displays all findings on one line, for a log with one event per line.
    pub(crate) fn on_one_line(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(|f| self.write(f, "; "))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, between: &str) -> fmt::Result {
        write!(f, "{}", self.findings.first)?;
        for finding in &self.findings.rest {
            write!(f, "{between}{finding}")?;
        }
        match self.findings.dropped {
            0 => Ok(()),
            more => write!(f, "{between}and {more} more"),
        }
    }

    /// Sets the cause, for [`std::error::Error::source`].
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.findings.first.source = Some(Arc::from(source.into()));
        self
    }

    /// The code of the first finding.
    pub fn code(&self) -> Code {
        self.findings.first.code
    }

    /// The first finding.
    pub fn first(&self) -> &Finding {
        &self.findings.first
    }

    /// All findings in the order of their discovery. Never empty.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        std::iter::once(&self.findings.first).chain(&self.findings.rest)
    }

    /// The number of findings that were omitted because of [`Error::LIMIT`].
    pub fn dropped(&self) -> usize {
        self.findings.dropped
    }

    fn findings_mut(&mut self) -> impl Iterator<Item = &mut Finding> {
        std::iter::once(&mut self.findings.first).chain(&mut self.findings.rest)
    }

    fn push(mut self, segment: Segment) -> Self {
        for finding in self.findings_mut() {
            finding.push(segment.clone());
        }
        self
    }

    /// Combines the findings of both errors, in order.
    #[cold]
    #[must_use]
    pub fn and(mut self, other: Error) -> Self {
        let Findings { first, rest, dropped } = *other.findings;
        self.findings.dropped += dropped;
        for finding in std::iter::once(first).chain(rest) {
            if self.findings.rest.len() + 1 < Self::LIMIT {
                self.findings.rest.push(finding);
            } else {
                self.findings.dropped += 1;
            }
        }
        self
    }

    /// Adds to the number of omitted findings.
    pub(crate) fn and_dropped(mut self, dropped: usize) -> Self {
        self.findings.dropped += dropped;
        self
    }

    /// Adds the field `name` to the path, as the next step outwards.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn in_field(self, name: &'static str) -> Self {
        self.push(Segment::Field(name))
    }

    /// Adds element `index` of a repeated field to the path, as the next step outwards.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn in_index(self, index: usize) -> Self {
        self.push(Segment::Index(index))
    }

    /// Adds the map entry with this key to the path, as the next step outwards. A long key is shortened.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn in_key(self, key: impl Into<String>) -> Self {
        self.push(Segment::Key(in_part(key.into())))
    }

    /// Adds the root message of a payload to the path, for a payload of a known controller.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub(crate) fn in_message(self, message: Cow<'static, str>) -> Self {
        self.push(Segment::Message(message))
    }

    /// Sets the name that the payload has among its siblings.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub(crate) fn with_name(mut self, name: &str) -> Self {
        let name = in_part(name.to_owned());
        for finding in self.findings_mut() {
            finding.name = Some(name.clone());
        }
        self
    }

    /// Adds a member of a set to the path. The member's id replaces the field of the member and the next
    /// field outwards, which holds all members.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub(crate) fn in_member(mut self, id: &str) -> Self {
        for finding in self.findings_mut() {
            match &mut finding.climbing {
                Some(climbing) => {
                    climbing.pop();
                    climbing.push(Cow::Owned(ControllerId::escape(id).into_owned()));
                    finding.is_member = true;
                }
                None => finding.push(Segment::Key(id.to_owned())),
            }
        }
        self
    }

    /// Adds the payload with this root message to the path. The steps further out become the id of the
    /// controller.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub(crate) fn in_payload(mut self, message: &'static str) -> Self {
        for finding in self.findings_mut() {
            let climbing = finding.climbing.get_or_insert_with(|| {
                finding.path.push_outwards(Segment::Message(Cow::Borrowed(message)));
                Vec::new()
            });
            if let Some(name) = finding.name.take() {
                climbing.push(Cow::Owned(ControllerId::escape(&name).into_owned()));
                finding.named = true;
            }
        }
        self
    }

    /// Puts this text before the reasons.
    #[cold]
    #[must_use]
    pub(crate) fn explained(mut self, before: &str) -> Self {
        for finding in self.findings_mut() {
            finding.reason = Cow::Owned([before, &finding.reason].concat());
        }
        self
    }

    /// Keeps only the findings about the root's own payload, not about nested payloads.
    pub(crate) fn of_root(self) -> Option<Self> {
        let root = ControllerId::root();
        self.filtered(|finding| finding.controller.as_ref().is_none_or(|id| *id == root))
    }

    /// Keeps only the selected findings; returns `None` if there are none.
    pub(crate) fn filtered(self, keep: impl Fn(&Finding) -> bool) -> Option<Self> {
        let Findings { first, rest, dropped } = *self.findings;
        let mut kept = std::iter::once(first).chain(rest).filter(|finding| keep(finding));
        let first = kept.next()?;
        let rest = kept.collect();
        Some(Self { findings: Box::new(Findings { first, rest, dropped }) })
    }

    /// Sets the controller of all findings, replacing any other.
    pub(crate) fn moved_to(mut self, id: &ControllerId) -> Self {
        for finding in self.findings_mut() {
            finding.controller = Some(id.clone());
        }
        self
    }

    /// Ends the path through the payloads: its steps become the controller's id.
    pub(crate) fn at_root(mut self) -> Self {
        for finding in self.findings_mut() {
            if finding.named
                && let Some(climbing) = &mut finding.climbing
            {
                // The root's own name is not a part of any id.
                climbing.pop();
            }
            finding.named = false;
            if let Some(climbing) = finding.climbing.take()
                && finding.controller.is_none()
            {
                finding.controller = Some(ControllerId::from_reversed(&climbing));
            }
        }
        self
    }

    /// Sets the controller of the findings that have none.
    #[must_use]
    pub fn at_controller(mut self, id: &ControllerId) -> Self {
        for finding in self.findings_mut() {
            finding.controller.get_or_insert_with(|| id.clone());
        }
        self
    }

    /// Sets the address of the running controller; [`Error::named`] replaces it with the id later.
    #[cold]
    #[must_use]
    pub(crate) fn of_node(mut self, address: usize) -> Self {
        for finding in self.findings_mut() {
            finding.node.get_or_insert(address);
        }
        self
    }

    /// Replaces addresses of running controllers by the ids from a plan. The path that was collected on the
    /// way up is not a valid id, because a controller can have its own name.
    #[must_use]
    pub(crate) fn named(mut self, id_of: impl Fn(usize) -> Option<ControllerId>) -> Self {
        for finding in self.findings_mut() {
            if let Some(id) = finding.node.take().and_then(&id_of) {
                finding.controller = Some(id);
            }
        }
        self
    }

    /// Sets the byte offset of the findings that have none.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub(crate) fn at_byte(mut self, offset: usize, total: usize) -> Self {
        for finding in self.findings_mut() {
            if finding.offset.is_none() {
                finding.offset = Some(offset);
                finding.total = Some(total);
            }
        }
        self
    }

    /// Adds the error to the earlier errors.
    #[cold]
    pub(crate) fn add_to(self, errors: &mut Option<Error>) {
        *errors = Some(match errors.take() {
            Some(earlier) => earlier.and(self),
            None => self,
        });
    }

    /// Collects the errors of several independent steps into one; returns `Ok` if there are none.
    pub fn collect(errors: impl IntoIterator<Item = Error>) -> Result<(), Error> {
        match errors.into_iter().reduce(Error::and) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// The maximum number of characters of an input text that an error shows.
pub(crate) const SHOWN: usize = 80;

/// Shortens a key or name for an error. Each finding keeps a copy, and a hostile input could contain a
/// text of any length.
fn in_part(text: String) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text,
        Some((end, _)) => [&text[..end], "..."].concat(),
    }
}

impl fmt::Display for Error {
    /// Writes one finding per line. Control characters of a reason are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "\n")
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {self}", self.code())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.findings.first.source.as_deref().map(|source| source as _)
    }
}

impl From<std::io::Error> for Error {
    /// Converts an error of the operating system inside a hook to [`Code::Internal`].
    fn from(error: std::io::Error) -> Self {
        Error::internal(error.to_string()).with_source(error)
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_the_peers_stays_on_the_line_of_its_finding() {
        let refused =
            Error::invalid("the disk is called a\nERROR b\u{202e}\u{1b}[2J").in_field("name");
        let error = refused.clone().and(Error::invalid("too large"));
        let shown = "name: the disk is called a\\nERROR b\\u{202e}\\u{1b}[2J";
        assert_eq!(error.to_string(), format!("{shown}\ntoo large"));
        assert_eq!(error.on_one_line().to_string(), format!("{shown}; too large"));
        assert_eq!(format!("{refused:?}"), format!("[INVALID_ARGUMENT] {shown}"));
        assert!(refused.first().reason().contains('\n'), "the reason itself is as it was given");
    }

    #[test]
    fn lines_that_this_crate_wrote_stay_lines() {
        let error = Error::precondition("the difference:\n- a\u{9b}\n+ b").keeping_lines();
        assert_eq!(error.to_string(), "the difference:\n- a\\u{9b}\n+ b");
    }

    #[test]
    fn findings_that_were_dropped_are_counted_on_one_line_as_well() {
        let more = (0..Error::LIMIT + 2).map(|_| Error::invalid("x"));
        let Err(error) = Error::collect(more) else { unreachable!() };
        assert!(error.on_one_line().to_string().ends_with("x; x; and 2 more"));
    }
}
