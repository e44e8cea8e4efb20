//! The places of errors that the model expects, in the form of errors.

use snapshot_core::Error;

/// One place: the controller, the payload of the field, and the path in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The steps from the root to the controller, once the payload's own path has ended.
    controller: Option<Vec<String>>,
    path: String,
}

/// The places of all errors in a value, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(Vec<Place>);

impl Places {
    /// The value itself is wrong.
    pub fn here() -> Self {
        Self(vec![Place { controller: None, path: String::new() }])
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the value out of a result, and adds the places of its errors.
    pub fn keep<T>(&mut self, result: Result<T, Places>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(Places(places)) => {
                self.0.extend(places);
                None
            }
        }
    }

    fn outwards(mut self, segment: &str, step: &str) -> Self {
        for place in &mut self.0 {
            match &mut place.controller {
                Some(steps) => steps.insert(0, step.to_owned()),
                None => place.path.insert_str(0, segment),
            }
        }
        self
    }

    pub fn in_field(self, name: &str) -> Self {
        self.outwards(&format!(".{name}"), name)
    }

    pub fn in_index(self, index: usize) -> Self {
        self.outwards(&format!("[{index}]"), &index.to_string())
    }

    pub fn in_key(self, key: &str) -> Self {
        // Errors show only the beginning of a long key.
        let key = match key.char_indices().nth(80) {
            Some((end, _)) => &format!("{}...", &key[..end]),
            None => key,
        };
        let step = match key {
            "" => "\"\"".to_owned(),
            _ => key.replace('%', "%25").replace('/', "%2F").replace('"', "%22"),
        };
        self.outwards(&format!("[{key:?}]"), &step)
    }

    /// Moves the places into a payload with this message.
    pub fn in_payload(mut self, message: &str) -> Self {
        for place in &mut self.0 {
            if place.controller.is_none() {
                place.path.insert_str(0, message);
                place.controller = Some(Vec::new());
            }
        }
        self
    }

    /// The places as lines, for a comparison with [`told`].
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.0.iter().map(Place::line).collect();
        lines.sort();
        lines
    }
}

impl Place {
    fn line(&self) -> String {
        let path = of_field(self.path.strip_prefix('.').unwrap_or(&self.path));
        match &self.controller {
            None => path.to_owned(),
            Some(steps) if steps.is_empty() => format!(".: {path}"),
            Some(steps) => format!("{}: {path}", steps.join("/")),
        }
    }
}

/// A wrapper of `google.protobuf` is one value in the model and a message with the field `value` on the
/// wire. (`tests/refusals` asserts that errors name this field.)
fn of_field(path: &str) -> &str {
    path.strip_suffix(".value").unwrap_or(path)
}

/// The places in an error, sorted.
pub fn told(error: &Error) -> Vec<String> {
    assert_eq!(error.dropped(), 0, "too many errors to compare");
    let mut lines: Vec<String> = error
        .findings()
        .map(|finding| match finding.controller() {
            Some(controller) => format!("{controller}: {}", of_field(&finding.path().to_string())),
            None => of_field(&finding.path().to_string()).to_owned(),
        })
        .collect();
    lines.sort();
    lines
}
