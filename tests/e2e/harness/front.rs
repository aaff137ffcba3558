//! TLS before a server that has none: what comes over TLS goes on in the clear, and back.

use super::folder::Folder;
use super::redis::tls::Certificates;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// It listens on 127.0.0.1, as localhost too.
pub(crate) struct Front {
    pub(crate) port: u16,
    /// The certificate of the authority that has signed its own.
    pub(crate) authority: PathBuf,
    _folder: Folder,
    // Dropped with it, and with it all that are connected.
    _serving: JoinSet<()>,
}

impl Front {
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let folder = Folder::new();
        let Certificates { authority, certificate, key } = Certificates::new(&folder);
        let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate of our own");
        let key = PrivateKeyDer::from_pem_file(key).expect("a key of our own");
        let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("the provider has them");
        let config = builder.with_no_client_auth().with_single_cert(vec![certificate], key).expect("they fit");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, TlsAcceptor::from(Arc::new(config)), server));
        Front { port, authority, _folder: folder, _serving: serving }
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, server: SocketAddr) {
    let mut visitors = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        visitors.spawn(async move {
            // Who does not trust the certificate is gone here.
            let Ok(mut outer) = acceptor.accept(stream).await else { return };
            let mut inner = TcpStream::connect(server).await.expect("the server behind it listens");
            let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
        });
    }
}
