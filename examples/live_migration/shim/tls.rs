//! TLS with certificates on both sides, and keys for a demonstration.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use snapshot_core::{Error, WriteOptions};
use tokio::net::TcpStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::shim::cli::TlsFiles;
use crate::shim::confine::private_folder;
use crate::shim::guest::at;

/// The name in a destination's certificate, wherever the destination is.
const DESTINATION: &str = "destination.live-migration";

/// The name in a source's certificate.
const SOURCE: &str = "source.live-migration";

/// The files of a side for TLS: its own certificate and key, and the authority that has signed
/// those of both sides.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Reads the files. TLS 1.3 only.
    ///
    /// # Errors
    ///
    /// If one cannot be read, or is invalid.
    pub(crate) fn read(files: &TlsFiles) -> Result<Self, Error> {
        let chain = certificates(&files.cert)?;
        let key =
            PrivateKeyDer::from_pem_file(&files.key).map_err(|error| no(&files.key, error))?;
        let mut roots = RootCertStore::empty();
        for root in certificates(&files.ca)? {
            roots.add(root).map_err(|error| no(&files.ca, error))?;
        }
        let (roots, provider) = (Arc::new(roots), Arc::new(default_provider()));
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| no(&files.cert, error))?
            .with_root_certificates(Arc::clone(&roots))
            .with_client_auth_cert(chain.clone(), key.clone_key())
            .map_err(|error| no(&files.cert, error))?;
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider))
            .build()
            .map_err(|error| no(&files.ca, error))?;
        let server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| no(&files.cert, error))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(|error| no(&files.cert, error))?;
        Ok(Self {
            connector: TlsConnector::from(Arc::new(client)),
            acceptor: TlsAcceptor::from(Arc::new(server)),
        })
    }

    /// Connects as a source.
    ///
    /// # Errors
    ///
    /// If the other side is not a destination that the authority has signed.
    pub(crate) async fn connect(
        &self,
        stream: TcpStream,
    ) -> io::Result<client::TlsStream<TcpStream>> {
        let name = ServerName::try_from(DESTINATION).map_err(io::Error::other)?;
        self.connector.connect(name, stream).await
    }

    /// Accepts as a destination.
    ///
    /// # Errors
    ///
    /// If the other side has no certificate for a source that the authority has signed.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<server::TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|error| no(path, error))
}

fn no(path: &Path, error: impl std::error::Error) -> Error {
    Error::invalid(format!("{}: not usable for TLS: {error}", path.display()))
}

/// Creates an authority, and a certificate with a key for each side, for a demonstration.
///
/// # Errors
///
/// If a file exists, or cannot be written.
pub(crate) fn make_keys(folder: &Path) -> Result<(), Error> {
    let made = |error: rcgen::Error| Error::internal(format!("no keys can be made: {error}"));
    private_folder(folder)?;
    let mut authority = CertificateParams::new(Vec::new()).map_err(made)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority.distinguished_name = named("live_migration, a demonstration");
    // Its key is not stored, so nobody can sign a third certificate.
    let authority = KeyPair::generate()
        .and_then(|key| CertifiedIssuer::self_signed(authority, key))
        .map_err(made)?;
    write(&folder.join("ca.pem"), &authority.pem())?;
    for (side, name, usage) in [
        ("source", SOURCE, ExtendedKeyUsagePurpose::ClientAuth),
        ("destination", DESTINATION, ExtendedKeyUsagePurpose::ServerAuth),
    ] {
        let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(made)?;
        params.distinguished_name = named(name);
        params.extended_key_usages = vec![usage];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().map_err(made)?;
        let certificate = params.signed_by(&key, &authority).map_err(made)?;
        write(&folder.join(format!("{side}.pem")), &certificate.pem())?;
        write(&folder.join(format!("{side}.key")), &key.serialize_pem())?;
    }
    Ok(())
}

/// Returns the files of one side that [`make_keys`] has created.
pub(crate) fn files(folder: &Path, side: &str) -> TlsFiles {
    TlsFiles {
        cert: folder.join(format!("{side}.pem")),
        key: folder.join(format!("{side}.key")),
        ca: folder.join("ca.pem"),
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    // Only their owner may read them, and no file is replaced.
    WriteOptions::new().write_bytes_to_path(text, path).map_err(|error| {
        Error::new(error.code(), format!("{error}; keys are never replaced")).with_source(error)
    })?;
    std::fs::metadata(path).map(drop).map_err(|error| at(path, error))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Connects a client of one set of keys to a server of another, and sends a byte each way.
    async fn meets(client: &TlsFiles, server: &TlsFiles) -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (client, server) = (Tls::read(client).unwrap(), Tls::read(server).unwrap());
        let serve = async {
            let mut stream = server.accept(listener.accept().await?.0).await?;
            let byte = stream.read_u8().await?;
            stream.write_u8(byte).await?;
            stream.flush().await
        };
        let connect = async {
            let mut stream = client.connect(TcpStream::connect(address).await?).await?;
            stream.write_u8(b'x').await?;
            stream.read_u8().await.map(drop)
        };
        let (served, connected) = tokio::join!(serve, connect);
        served.and(connected)
    }

    #[tokio::test]
    async fn both_sides_know_each_other_by_their_certificates() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, theirs) = (dir.path().join("ours"), dir.path().join("theirs"));
        make_keys(&ours).unwrap();
        make_keys(&theirs).unwrap();
        meets(&files(&ours, "source"), &files(&ours, "destination")).await.unwrap();
        for (client, server) in [
            // Another authority on either side.
            (files(&theirs, "source"), files(&ours, "destination")),
            (files(&ours, "source"), files(&theirs, "destination")),
            // The right authority, but the wrong side.
            (files(&ours, "destination"), files(&ours, "destination")),
            (files(&ours, "source"), files(&ours, "source")),
        ] {
            meets(&client, &server).await.unwrap_err();
        }
        let refused = make_keys(&ours).unwrap_err().to_string();
        assert!(refused.contains("never replaced"), "{refused}");
    }
}
