//! Distinguishes payloads of hcsshim's earlier, stage-ful revision from those that this build reads.
//!
//! Both revisions have the same type URLs and schema version 1, but different field numbers.
//! Reading one as the other loses fields or confuses them. An earlier payload is recognised by the
//! form of a field: a varint where the current revision has a message, a message where it has a
//! number, or a field number that no longer exists. The strict reader refuses all of these too, one
//! field at a time; this module reports their common cause once.

use std::str::from_utf8;

use snapshot_core::codec::{Reader, Tag, split_any};
use snapshot_core::schema::kind::WireType;
use snapshot_core::{Code, Error};
use uuid::Uuid;

use super::Kind;

/// A field whose form differs between the two revisions.
struct Sign {
    number: u32,
    form: Form,
    /// The meaning of the field in the earlier revision.
    was: &'static str,
    /// Its meaning in the current revision, if it has one.
    is: Option<&'static str>,
}

/// The form of a field of the earlier revision.
enum Form {
    Varint,
    Len,
    /// Length-delimited in both revisions, with content that only the earlier one has.
    Holding(fn(&[u8]) -> bool),
}

const fn sign(number: u32, form: Form, was: &'static str, is: Option<&'static str>) -> Sign {
    Sign { number, form, was, is }
}

const VM: &[Sign] = &[
    sign(3, Form::Varint, "state", Some("sandbox_options")),
    sign(4, Form::Holding(is_options), "sandbox_options", Some("scsi")),
    sign(5, Form::Len, "scsi", Some("gcs_next_port")),
    sign(6, Form::Holding(is_device), "vpci", Some("compat_info")),
    sign(7, Form::Holding(is_device), "plan9", Some("hcs_document")),
    sign(9, Form::Len, "compat_info", None),
];

const DISK: &[Sign] =
    &[sign(2, Form::Varint, "state", Some("mounts")), sign(3, Form::Len, "mounts", None)];

const NETWORK: &[Sign] = &[
    sign(5, Form::Varint, "state", Some("vm_endpoints")),
    sign(6, Form::Len, "vm_endpoints", None),
];

const LINUX_CONTAINER: &[Sign] = &[
    sign(4, Form::Varint, "state", Some("io_retry_timeout")),
    sign(5, Form::Holding(is_duration), "io_retry_timeout", Some("layers")),
    sign(6, Form::Holding(is_layers), "layers", Some("scsi_reservation_ids")),
    sign(7, Form::Holding(is_guid), "scsi_reservation_ids", Some("processes")),
    sign(8, Form::Len, "plan9_reservation_ids", None),
    sign(9, Form::Len, "vpci_vmbus_guids", None),
    sign(10, Form::Len, "processes", None),
];

const PROCESS: &[Sign] = &[
    sign(4, Form::Varint, "pid", Some("bundle")),
    sign(5, Form::Holding(is_path), "bundle", Some("oci_process_spec_json")),
    sign(6, Form::Holding(is_object), "oci_process_spec_json", Some("io_retry_timeout")),
    sign(7, Form::Len, "exited_at", Some("stdin_port")),
    sign(9, Form::Len, "io_retry_timeout", Some("stderr_port")),
    sign(11, Form::Varint, "stdout_port", None),
    sign(12, Form::Varint, "stderr_port", None),
];

/// The signs of the earlier revision in a payload and in those inside it.
#[derive(Default)]
pub(super) struct Signs {
    /// One error for each payload of the earlier revision, with its place.
    certain: Vec<Error>,
    /// One error for each payload with a field that only the earlier revision has. A later revision
    /// might have such a field again.
    possible: Vec<Error>,
}

impl Signs {
    /// Looks for signs in a payload. Other errors in its bytes are left to the strict reader.
    pub(super) fn of(kind: Kind, payload: Option<Part<'_>>) -> Self {
        let mut signs = Self::default();
        if let Some(payload) = payload {
            signs.scan(kind, payload);
        }
        signs
    }

    /// Combines the result of reading the payload with the signs.
    pub(super) fn judge<T>(self, read: Result<T, Error>) -> Result<T, Error> {
        Error::collect(self.certain)?;
        read.map_err(|error| self.possible.into_iter().fold(error, Error::and))
    }

    fn scan(&mut self, kind: Kind, payload: Part<'_>) {
        // The earlier revision did not always write its version.
        let version = payload.fields().find(|field| field.tag.number == 1);
        if version.is_some_and(|field| field.varint != Some(1)) {
            return;
        }
        let sign = match kind {
            Kind::Vm => sign_in(payload, VM),
            Kind::Network => sign_in(payload, NETWORK),
            Kind::LinuxContainer => sign_in(payload, LINUX_CONTAINER),
            Kind::Process => sign_in(payload, PROCESS),
            Kind::Scsi => {
                let disks = payload.parts(3).flat_map(|entry| entry.parts(2));
                strongest(disks.filter_map(|disk| sign_in(disk, DISK)))
            }
            // No earlier form of these kinds is known.
            Kind::Migration | Kind::Pod => None,
        };
        match sign {
            Some((sign, at)) => {
                let place = Reader::new(payload.whole);
                let error = place.locate(Error::new(Code::Unimplemented, sign.reason()), at);
                match sign.is {
                    Some(_) => self.certain.push(error),
                    None => self.possible.push(error),
                }
            }
            None => self.scan_children(kind, payload),
        }
    }

    fn scan_children(&mut self, kind: Kind, payload: Part<'_>) {
        match kind {
            Kind::Migration => {
                for vm in payload.parts(2) {
                    self.scan_child(Kind::Vm, vm, |error| error.in_field("vm"));
                }
                for (index, pod) in payload.parts(3).enumerate() {
                    let place = |error: Error| error.in_index(index).in_field("pods");
                    self.scan_child(Kind::Pod, pod, place);
                }
            }
            Kind::Vm => {
                for scsi in payload.parts(4) {
                    self.scan_child(Kind::Scsi, scsi, |error| error.in_field("scsi"));
                }
            }
            Kind::Pod => {
                for network in payload.parts(4) {
                    self.scan_child(Kind::Network, network, |error| error.in_field("network"));
                }
                for (index, container) in payload.parts(5).enumerate() {
                    let place = |error: Error| error.in_index(index).in_field("containers");
                    self.scan_child(Kind::LinuxContainer, container, place);
                }
            }
            Kind::LinuxContainer => {
                for entry in payload.parts(7) {
                    let key = entry.parts(1).next().map_or(&[][..], Part::bytes);
                    let key = String::from_utf8_lossy(key);
                    for process in entry.parts(2) {
                        let place = |error: Error| error.in_key(&*key).in_field("processes");
                        self.scan_child(Kind::Process, process, place);
                    }
                }
            }
            Kind::Scsi | Kind::Network | Kind::Process => {}
        }
    }

    /// Looks for signs in the payload of an `Any`, if it has the kind that belongs there. This
    /// limits the depth to that of a sandbox.
    fn scan_child(&mut self, kind: Kind, any: Part<'_>, place: impl Fn(Error) -> Error) {
        let Signs { certain, possible } = Self::of(kind, any.payload(kind));
        self.certain.extend(certain.into_iter().map(&place));
        self.possible.extend(possible.into_iter().map(&place));
    }
}

/// A part of the input.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    whole: &'a [u8],
    start: usize,
    end: usize,
}

impl<'a> Part<'a> {
    pub(super) fn all(whole: &'a [u8]) -> Self {
        Self { whole, start: 0, end: whole.len() }
    }

    fn bytes(self) -> &'a [u8] {
        &self.whole[self.start..self.end]
    }

    /// Iterates over the fields of the part as a message, up to the first damage.
    fn fields(self) -> impl Iterator<Item = Field<'a>> {
        let mut reader = Reader::with_base(self.bytes(), self.start);
        std::iter::from_fn(move || {
            let at = reader.offset();
            let tag = reader.tag().ok()??;
            let value_at = reader.offset();
            let (start, varint) = match tag.wire_type {
                WireType::Len => {
                    let length = reader.bytes().ok()?.len();
                    (reader.offset() - length, None)
                }
                WireType::Varint => (value_at, Some(reader.varint().ok()?)),
                other => {
                    reader.skip(other).ok()?;
                    (value_at, None)
                }
            };
            let content = Self { start, end: reader.offset(), ..self };
            Some(Field { at, tag, varint, content })
        })
    }

    /// Iterates over the contents of the length-delimited fields with this number.
    fn parts(self, number: u32) -> impl Iterator<Item = Part<'a>> {
        let tag = Tag { number, wire_type: WireType::Len };
        self.fields().filter(move |field| field.tag == tag).map(|field| field.content)
    }

    /// Returns the payload in the part as an `Any`, if it has this kind.
    pub(super) fn payload(self, kind: Kind) -> Option<Part<'a>> {
        let (type_url, _) = split_any(self.bytes()).ok()?;
        if type_url == kind.type_url() { self.parts(2).next() } else { None }
    }
}

struct Field<'a> {
    /// The offset of its tag.
    at: usize,
    tag: Tag,
    varint: Option<u64>,
    content: Part<'a>,
}

impl Sign {
    fn reason(&self) -> String {
        let Sign { number, was, is, .. } = self;
        match is {
            Some(is) => format!(
                "looks like the earlier, stage-ful revision of this payload, which has the same \
                 type URL and version: field {number} is {was} there and {is} here; save it again \
                 with a current hcsshim"
            ),
            None => format!(
                "field {number} was {was} in the earlier, stage-ful revision of this payload, \
                 which has the same type URL and version: is it one of those?"
            ),
        }
    }

    fn is_on(&self, field: &Field<'_>) -> bool {
        self.number == field.tag.number
            && match (&self.form, field.tag.wire_type) {
                (Form::Varint, WireType::Varint) | (Form::Len, WireType::Len) => true,
                (Form::Holding(holds), WireType::Len) => holds(field.content.bytes()),
                _ => false,
            }
    }
}

/// Returns the first certain sign of a message, or else the first one.
fn sign_in(message: Part<'_>, signs: &'static [Sign]) -> Option<(&'static Sign, usize)> {
    strongest(message.fields().filter_map(|field| {
        signs.iter().find(|sign| sign.is_on(&field)).map(|sign| (sign, field.at))
    }))
}

fn strongest(
    found: impl Iterator<Item = (&'static Sign, usize)>,
) -> Option<(&'static Sign, usize)> {
    let mut possible = None;
    for (sign, at) in found {
        if sign.is.is_some() {
            return Some((sign, at));
        }
        possible = possible.or(Some((sign, at)));
    }
    possible
}

fn fields(message: &[u8]) -> impl Iterator<Item = (u32, WireType)> {
    Part::all(message).fields().map(|field| (field.tag.number, field.tag.wire_type))
}

/// Recognises sandbox options, as opposed to an `Any`.
fn is_options(message: &[u8]) -> bool {
    fields(message).any(|field| !matches!(field, (1 | 2, WireType::Len)))
}

/// Recognises an `Any` with a payload of a kind that only the earlier revision has.
fn is_device(message: &[u8]) -> bool {
    matches!(split_any(message), Ok((type_url, _)) if is_earlier_kind(type_url))
}

/// Returns whether only the earlier revision has this kind of payload.
pub(super) fn is_earlier_kind(type_url: &str) -> bool {
    ["vpci", "plan9"].iter().any(|kind| {
        type_url.strip_prefix("type.microsoft.com/hcsshim.controller.")
            == Some(&format!("{kind}.save.v1.Payload"))
    })
}

/// Recognises a `Duration` other than 0, as opposed to layers.
fn is_duration(message: &[u8]) -> bool {
    fields(message).any(|field| matches!(field, (1 | 2, WireType::Varint)))
}

/// Recognises layers, as opposed to a GUID.
fn is_layers(message: &[u8]) -> bool {
    let is_member = |field| matches!(field, (1 | 2 | 4, WireType::Len) | (3, WireType::Varint));
    !is_guid(message) && fields(message).next().is_some() && fields(message).all(is_member)
}

fn is_guid(text: &[u8]) -> bool {
    text.len() == 36 && Uuid::try_parse_ascii(text).is_ok()
}

/// Recognises a path, as opposed to JSON.
fn is_path(text: &[u8]) -> bool {
    from_utf8(text).is_ok_and(|text| {
        text.contains(['/', '\\']) && !text.trim_start().starts_with(['{', '[', '"'])
    })
}

/// Recognises a JSON object, as opposed to a `Duration`.
fn is_object(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"{")
}
