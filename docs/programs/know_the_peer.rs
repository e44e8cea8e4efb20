//! A disk that is handed over by TLS with certificates of both sides.

// Helpers of tests fail as tests do; clippy knows only the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io;
use std::ops::DerefMut;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use snapshot_core::{Controller, Error, Session, Snapshot};
use snapshot_handover::ledger::MemoryStore;
use snapshot_handover::{Accepted, Ledger, Offered, accept, offer, tokio_link};
use snapshot_proto::example::v1::{self as pb, disk_snapshot};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

#[derive(Snapshot, Clone, Copy, Debug, Default, PartialEq)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage {
    #[default]
    Reserved,
    Attached,
    Ejected,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, controller = Disk)]
struct DiskState {
    image: String,
    stage: Stage,
    size: u64,
}

struct Disk(Mutex<DiskState>);

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

/// A side's certificate with its key, and the authority that has signed those of both sides.
struct Keys {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    authority: CertificateDer<'static>,
}

type Wrong = Box<dyn std::error::Error>;

fn destination(keys: Keys) -> Result<TlsAcceptor, Wrong> {
    let mut roots = RootCertStore::empty();
    roots.add(keys.authority)?;
    let provider = Arc::new(default_provider());
    let sources =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(sources.build()?)
        .with_single_cert(keys.chain, keys.key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn source(keys: Keys) -> Result<TlsConnector, Wrong> {
    let mut roots = RootCertStore::empty();
    roots.add(keys.authority)?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(keys.chain, keys.key)?;
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn connect(tls: &TlsConnector, to: TcpStream) -> io::Result<client::TlsStream<TcpStream>> {
    // The blackout is made of small messages.
    to.set_nodelay(true)?;
    let name = ServerName::try_from("destination.example").map_err(io::Error::other)?;
    tls.connect(name, to).await
}

/// Accepts a peer with the certificate of a source, and no other.
async fn let_in(tls: &TlsAcceptor, from: TcpStream) -> io::Result<server::TlsStream<TcpStream>> {
    from.set_nodelay(true)?;
    let handshake = tokio::time::timeout(std::time::Duration::from_secs(5), tls.accept(from));
    handshake.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// An authority, and a source and a destination that it knows.
fn keys() -> [Keys; 2] {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    [
        ("source.example", ExtendedKeyUsagePurpose::ClientAuth),
        ("destination.example", ExtendedKeyUsagePurpose::ServerAuth),
    ]
    .map(|(name, usage)| {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        Keys {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            authority: authority.der().clone(),
        }
    })
}

async fn hand_over(
    from: Keys,
    to: Keys,
) -> (io::Result<Offered<Disk>>, io::Result<Accepted<Disk>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tls, connector) = (destination(to).unwrap(), source(from).unwrap());
    let serve = async {
        let link = let_in(&tls, listener.accept().await?.0).await?;
        let ledger = Ledger::over(MemoryStore::new());
        Ok(accept::<Disk>(tokio_link(link), &ledger, &Session::new()).await)
    };
    let go = async {
        let link = connect(&connector, TcpStream::connect(address).await?).await?;
        let state = DiskState { image: "root".to_owned(), stage: Stage::Attached, size: 4096 };
        let disk = Arc::new(Disk(Mutex::new(state)));
        let ledger = Ledger::over(MemoryStore::new());
        Ok(offer(&disk, tokio_link(link), &ledger, &Session::new()).await)
    };
    tokio::join!(go, serve)
}

#[tokio::test]
async fn two_sides_that_know_each_other_hand_the_disk_over() {
    let [from, to] = keys();
    let (offered, accepted) = hand_over(from, to).await;
    assert!(matches!(offered.unwrap(), Offered::Committed(_)));
    let Accepted::Live(disk, _) = accepted.unwrap() else { panic!("it is not live") };
    let state = disk.state();
    assert_eq!((state.image.as_str(), state.stage, state.size), ("root", Stage::Attached, 4096));
}

#[tokio::test]
async fn a_source_of_another_authority_is_not_let_in() {
    let ([stranger, _], [_, to]) = (keys(), keys());
    let (_, accepted) = hand_over(stranger, to).await;
    accepted.unwrap_err();
}
