// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The same answers over rustls's own record layer.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use sealgate_frontend::{EmbeddedModel, Router, Summary};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// Time for the last bytes of a client, without which the system might reset the connection and destroy an alert.
const LINGER: Duration = Duration::from_secs(1);

/// Serves until `stopped`. It counts nothing and drains nothing.
pub(super) async fn serve(
    socket: TcpListener,
    config: Arc<ServerConfig>,
    router: Router<EmbeddedModel>,
    mut stopped: oneshot::Receiver<()>,
) -> Summary {
    let acceptor = TlsAcceptor::from(config);
    loop {
        tokio::select! {
            _ = &mut stopped => return Summary { connections: 0, aborted: 0 },
            Ok((tcp, _)) = socket.accept() => {
                tokio::spawn(converse(acceptor.clone(), tcp, router.clone()));
            }
        }
    }
}

async fn converse(acceptor: TlsAcceptor, tcp: TcpStream, router: Router<EmbeddedModel>) {
    let Ok(tls) = acceptor.accept(tcp).await else { return };
    let service = service_fn(move |request| Box::pin(router.clone().oneshot(request)));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(tls), service);
    // How it ends is what the client sees.
    drop(poll_fn(|cx| connection.poll_without_shutdown(cx)).await);
    let mut tls = connection.into_parts().io.into_inner();
    drop(tls.shutdown().await);
    let (mut tcp, _) = tls.into_inner();
    let mut scrap = [0; 4096];
    let drain = async { while matches!(tcp.read(&mut scrap).await, Ok(1..)) {} };
    drop(tokio::time::timeout(LINGER, drain).await);
}
