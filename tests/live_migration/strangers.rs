//! A stranger at the destination's port, and a peer's paths, have no effect.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::process::Uid;
use snapshot_core::codec::to_bytes;
use snapshot_handover::SessionId;
use snapshot_handover::message::{Ask, Failure, Hello, Message, Versions};

use crate::program::{run, spawn};
use crate::shims::{Shims, Who};

/// A connection of a stranger.
trait Stream: Read + Write {
    fn hang_up(&self);
}

impl Stream for UnixStream {
    fn hang_up(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

impl Stream for TcpStream {
    fn hang_up(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

fn send(stream: &mut dyn Stream, message: &[u8]) {
    let length = u32::try_from(message.len()).unwrap();
    // An error is fine: it may have hung up.
    let _ = stream.write_all(&length.to_be_bytes()).and_then(|()| stream.write_all(message));
}

fn versions() -> Vec<u8> {
    to_bytes(&Versions::of("a stranger")).unwrap()
}

/// Sends a whole message of the protocol.
fn says(mut stream: Box<dyn Stream>, message: Message) {
    send(&mut *stream, &versions());
    send(&mut *stream, &message.encode().unwrap());
    stream.hang_up();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
}

fn hello(note: &str) -> Message {
    Message::Hello(Hello {
        session: SessionId::random(),
        root: "type.googleapis.com/lcow.v1.SandboxSnapshot".to_owned(),
        host: String::new(),
        note: note.into(),
    })
}

/// Tries everything that a stranger can do to a destination. Returns the streams that must stay
/// open.
fn bother(connect: &dyn Fn() -> Box<dyn Stream>) -> Vec<Box<dyn Stream>> {
    // A scan.
    for _ in 0..5 {
        drop(connect());
    }
    // Garbage, and another protocol.
    for text in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 4096], &[0; 64]] {
        let mut stream = connect();
        let _ = stream.write_all(text);
        stream.hang_up();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
    }
    // Messages of the protocol in the wrong place.
    says(connect(), Message::Abort(Failure::from(&snapshot_core::Error::internal("abort"))));
    says(connect(), Message::Resume);
    says(connect(), Message::Committed(Vec::new()));
    says(connect(), Message::Ask(Ask { session: SessionId::random() }));
    says(connect(), hello("not a note"));
    // Silence, and half a message.
    let mut silent: Vec<Box<dyn Stream>> = (0..80).map(|_| connect()).collect();
    for stream in silent.iter_mut().step_by(2) {
        let _ = stream.write_all(&[0, 0]);
    }
    silent
}

#[test]
fn strangers_on_a_unix_socket_neither_end_nor_occupy_a_destination() {
    let mut shims = Shims::unix(1, &["--seconds", "0.6", "--patience", "3"]);
    shims.start(Who::Destination);
    let socket = shims.socket();
    crate::wait_until("it listens", || socket.exists().then_some(()));
    let connect = || -> Box<dyn Stream> {
        Box::new(crate::wait_until("it accepts", || UnixStream::connect(&socket).ok()))
    };
    let before = bother(&connect);
    shims.start(Who::Source);
    crate::wait_until("the sandbox is live", || {
        shims.get(Who::Destination).has_said("the sandbox runs here").then_some(())
    });
    let after = bother(&connect);
    assert!(shims.finish(Duration::from_secs(60)), "{}", shims.said());
    drop((before, after));
    shims.assert_whole("strangers");
    assert!(shims.said().contains("1 of them moved"), "{}", shims.said());
}

#[test]
fn another_user_of_the_machine_is_turned_away_on_a_unix_socket() {
    use std::os::unix::fs::PermissionsExt;
    const NOBODY: u32 = 65_534;
    if !rustix::process::geteuid().is_root() {
        println!(
            "skipped: only root can become another user; the decision has a test in the example"
        );
        return;
    }
    let mut shims = Shims::unix(1, &["--seconds", "0.3", "--patience", "3"]);
    shims.with(Who::Destination, &["--verbose"]);
    shims.start(Who::Destination);
    let socket = shims.socket();
    crate::wait_until("it listens", || socket.exists().then_some(()));
    for path in [&socket, socket.parent().unwrap()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    // The user is that of the thread which connects.
    let answer = std::thread::spawn(move || {
        let nobody = Uid::from_raw(NOBODY);
        rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        let mut stream = UnixStream::connect(&socket).unwrap();
        send(&mut stream, &versions());
        send(&mut stream, &hello("a sandbox").encode().unwrap());
        let mut answer = Vec::new();
        // It may be hung up on before it has said everything.
        let _ = stream.read_to_end(&mut answer);
        answer
    });
    assert_eq!(answer.join().unwrap(), [0; 0], "a stranger learns nothing, not even the version");
    crate::wait_until("it is reported", || {
        let says = "the process on the other end is of user 65534, this one of user 0";
        shims.get(Who::Destination).has_said(says).then_some(())
    });
    shims.start(Who::Source);
    assert!(shims.finish(Duration::from_secs(60)), "{}", shims.said());
    shims.assert_whole("another user");
    assert!(shims.said().contains("1 of them moved"), "{}", shims.said());
}

#[test]
fn over_tcp_both_sides_show_certificates_and_a_stranger_has_none() {
    let keys = tempfile::tempdir().unwrap();
    let keys = keys.path().join("keys");
    run(&["keys", keys.to_str().unwrap()]).succeeded();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = port.to_string();
    let more = ["--seconds", "0.6", "--patience", "3"];
    let mut shims = Shims::new(&address, &address, 1, &more);
    let ca = keys.join("ca.pem");
    for (who, side) in [(Who::Source, "source"), (Who::Destination, "destination")] {
        let [cert, key] = ["pem", "key"].map(|end| keys.join(format!("{side}.{end}")));
        let files = [&cert, &key, &ca].map(|path| path.to_str().unwrap().to_owned());
        shims.with(who, &["--tls-cert", &files[0], "--tls-key", &files[1], "--tls-ca", &files[2]]);
    }
    shims.start(Who::Destination);
    let connect = || -> Box<dyn Stream> {
        Box::new(crate::wait_until("it accepts", || TcpStream::connect(port).ok()))
    };
    let before = bother(&connect);
    // A source without a certificate, and one with the certificate of a destination.
    let dir = tempfile::tempdir().unwrap();
    for (name, tls) in
        [("plain", Vec::new()), ("wrong", vec!["destination.pem", "destination.key"])]
    {
        let folder = dir.path().join(name);
        let files: Vec<String> =
            tls.iter().map(|file| keys.join(file).to_str().unwrap().to_owned()).collect();
        let mut args = vec!["--connect", &address, "--dir", folder.to_str().unwrap()];
        args.extend(["--seconds", "0", "--containers", "1"]);
        if let [cert, key] = files.as_slice() {
            args.extend(["--tls-cert", cert, "--tls-key", key, "--tls-ca", ca.to_str().unwrap()]);
        }
        let ended = spawn(&args).wait();
        ended.failed();
        ended.says("the sandbox continues here and never stood still");
    }
    shims.start(Who::Source);
    crate::wait_until("the sandbox is live", || {
        shims.get(Who::Destination).has_said("the sandbox runs here").then_some(())
    });
    let after = bother(&connect);
    assert!(shims.finish(Duration::from_secs(60)), "{}", shims.said());
    drop((before, after));
    shims.assert_whole("TLS");
    assert!(shims.said().contains("1 of them moved"), "{}", shims.said());
}

#[test]
fn a_plain_link_to_another_machine_needs_to_be_asked_for() {
    for role in ["--listen", "--connect"] {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("run");
        let began = Instant::now();
        let args = [role, "0.0.0.0:0", "--dir", folder.to_str().unwrap(), "--seconds", "0"];
        let shim = spawn(&args);
        if role == "--connect" {
            // It tries for a while, and the sandbox runs all the time.
            crate::wait_until("it runs", || shim.has_said("runs 3 containers").then_some(()));
            shim.terminate();
        }
        let ended = shim.wait();
        ended.failed();
        if role == "--listen" {
            ended.says("give --tls-cert, --tls-key and --tls-ca, or --insecure");
        }
        assert!(began.elapsed() < Duration::from_secs(60));
    }
}

#[test]
fn the_folders_that_a_peer_names_lie_where_they_may() {
    // A guest in another folder, one behind a link, and one in which others may write.
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
    let mut shims = Shims::unix(1, &["--seconds", "0.2", "--patience", "1"]);
    shims.start(Who::Destination);
    let socket = shims.socket();
    crate::wait_until("it listens", || socket.exists().then_some(()));
    let folder = shims.folder().canonicalize().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let elsewhere = elsewhere.path().canonicalize().unwrap();
    let private = |path: &std::path::Path| {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).unwrap();
        path.to_owned()
    };
    symlink(&elsewhere, folder.join("link")).unwrap();
    let open = private(&folder.join("open"));
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    for named in [elsewhere.clone(), folder.join("link"), folder.join("x/../link"), open] {
        for part in ["processes", "disks"] {
            private(&named.join(part));
        }
        let note = serde_json::json!({
            "machine": boot.trim(), "guest": named, "storage": named, "seen": [], "exits": {},
        });
        let mut stream = UnixStream::connect(&socket).unwrap();
        send(&mut stream, &versions());
        send(&mut stream, &hello(&note.to_string()).encode().unwrap());
        let mut answer = Vec::new();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // Until it has hung up, or has sent the reason of its refusal.
        let mut byte = [0; 1024];
        while let Ok(read @ 1..) = stream.read(&mut byte) {
            answer.extend(&byte[..read]);
            if String::from_utf8_lossy(&answer).contains("the peer names the folder") {
                break;
            }
        }
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.contains("the peer names the folder"), "{}: {answer}", named.display());
    }
    // It still waits for the real source.
    shims.start(Who::Source);
    assert!(shims.finish(Duration::from_secs(60)), "{}", shims.said());
    shims.assert_whole("paths");
    assert!(shims.said().contains("1 of them moved"), "{}", shims.said());
}
