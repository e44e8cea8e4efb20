//! Controllers with hooks without an undo.

use std::future::Future;
use std::ops::DerefMut;
use std::sync::{Mutex, PoisonError};

use snapshot_derive::Snapshot;

use super::super::{Contract, hooks};
use crate::{Context, Controller, Error, Phase};

/// A message, a state and a controller with these hooks.
macro_rules! controllers {
    ($($controller:ident $state:ident $message:ident { $($hooks:tt)* })*) => {$(
        #[derive(crate::Schema, Clone, PartialEq, prost::Message)]
        struct $message {
            #[prost(uint32, tag = "1")]
            schema_version: u32,
            #[prost(uint32, tag = "2")]
            size: u32,
        }

        impl prost::Name for $message {
            const NAME: &'static str = stringify!($message);
            const PACKAGE: &'static str = "kit.v1";
        }

        #[derive(Snapshot)]
        #[snapshot(message = $message, version = 1, controller = $controller, crate = crate)]
        struct $state {
            size: u32,
        }

        struct $controller(Mutex<$state>);

        impl Controller for $controller {
            type State = $state;

            fn state(&self) -> impl DerefMut<Target = $state> + '_ {
                self.0.lock().unwrap_or_else(PoisonError::into_inner)
            }

            fn import(state: $state) -> Result<Self, Error> {
                Ok(Self(Mutex::new(state)))
            }

            $($hooks)*
        }
    )*};
}

controllers! {
    Still StillState StillSnapshot {}
    Stops StopsState StopsSnapshot {
        async fn freeze(&self, _: &Context) -> Result<(), Error> {
            unreachable!("the kit calls no hook")
        }
    }
    Binds BindsState BindsSnapshot {
        async fn patch(&self, _: &Context) -> Result<(), Error> {
            unreachable!("the kit calls no hook")
        }

        // A hook that is not an `async fn` and returns a common future.
        fn resume(&self, _: &Context) -> impl Future<Output = Result<(), Error>> + Send {
            std::future::ready(Ok(()))
        }
    }
    Whole WholeState WholeSnapshot {
        async fn freeze(&self, _: &Context) -> Result<(), Error> { Ok(()) }
        async fn thaw(&self, _: &Context) -> Result<(), Error> { Ok(()) }
        async fn patch(&self, _: &Context) -> Result<(), Error> { Ok(()) }
        async fn resume(&self, _: &Context) -> Result<(), Error> { Ok(()) }
        async fn commit(&self, _: &Context) -> Result<(), Error> { Ok(()) }
        fn abort(&self, _: &Context) -> impl Future<Output = Result<(), Error>> + Send {
            std::future::ready(Ok(()))
        }
    }
}

#[track_caller]
fn assert_names(text: Option<String>, lines: &[&str]) {
    let text = text.unwrap_or_default();
    assert!(text.contains("every hook has an undo:"), "{text}");
    for line in lines {
        assert!(text.contains(line), "{text}");
    }
    assert_eq!(text.matches("the controller has no").count(), lines.len(), "{text}");
}

#[test]
fn a_hook_without_an_undo_breaks_the_contract_of_the_state() {
    let thaw = "  freeze: the controller has no `thaw`: after a failure, the effects of this hook";
    let stops = || Contract::new().samples([StopsState { size: 1 }]);
    assert_names(stops().broken(), &[thaw]);
    let binds = || Contract::new().samples([BindsState { size: 1 }]);
    let (patch, resume) =
        ("  patch: the controller has no `abort`", "  resume: the controller has no `abort`");
    assert_names(binds().broken(), &[patch, resume]);
    assert_names(binds().no_undo(Phase::Patch).broken(), &[resume]);

    assert_eq!(stops().no_undo(Phase::Freeze).broken(), None);
    assert_eq!(binds().no_undo(Phase::Patch).no_undo(Phase::Resume).broken(), None);
    assert_eq!(Contract::new().samples([StillState { size: 1 }]).broken(), None);
    assert_eq!(Contract::new().samples([WholeState { size: 1 }]).broken(), None);
}

#[test]
fn an_exemption_that_no_hook_needs_is_reported() {
    let text = Contract::new()
        .samples([WholeState { size: 1 }])
        .no_undo(Phase::Freeze)
        .no_undo(Phase::Commit)
        .broken()
        .unwrap_or_default();
    for phase in ["freeze", "commit"] {
        let line =
            format!("  {phase}: is exempted from the undo, but the controller has no such hook");
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn a_controller_is_tested_alone_by_its_type() {
    hooks::<Whole>([]);
    hooks::<Still>([]);
    hooks::<Stops>([Phase::Freeze]);
    hooks::<Binds>([Phase::Patch, Phase::Resume]);
}

#[test]
#[should_panic(expected = "the controller has no `thaw`")]
fn a_controller_without_an_undo_fails_its_test() {
    hooks::<Stops>([]);
}
