// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Streams that are let go of with operations under way.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rand::RngExt;
use rand::rngs::StdRng;
use rustls_pki_types::ServerName;
use sealgate_rustls::{TlsAcceptor, TlsConnector};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};

use crate::peer::Party;
use crate::random;

/// What the streams send, again and again.
pub const CONTENT: u8 = 0x5A;

/// Most that is written at once: more than all records that a stream has under way.
const PIECE_BYTES: usize = 100_000;

/// Kinds of things that a stream may do; the first of them begin something on the device.
const KINDS: usize = 6;
const KINDS_THAT_BEGIN: usize = 2;

type Ours = sealgate_rustls::TlsStream<DuplexStream>;
type Theirs = tokio_rustls::TlsStream<DuplexStream>;

/// Makes streams, has each do a random number of random things without waiting for any, and drops it, until so many were
/// dropped that had something under way. The result: how many were made.
pub async fn drop_streams(party: &Party, rng: &mut StdRng, count: usize) -> usize {
    let content = vec![CONTENT; PIECE_BYTES];
    let (mut made, mut with_operations) = (0, 0);
    while with_operations < count {
        let (mut ours, mut theirs) = connect(party, rng.random()).await;
        for _ in 0..rng.random_range(0..8) {
            let kind = rng.random_range(0..KINDS);
            step(kind, &mut ours, &mut theirs, &content, rng);
        }
        let last = rng.random_range(0..KINDS_THAT_BEGIN);
        made += 1;
        with_operations += usize::from(step(last, &mut ours, &mut theirs, &content, rng));
    }
    made
}

async fn connect(party: &Party, we_serve: bool) -> (Ours, Theirs) {
    let (client, server) = duplex(1 << 16);
    let name = ServerName::try_from("localhost").expect("a name");
    let (ours, theirs): (_, Theirs) = if we_serve {
        let acceptor = TlsAcceptor::new(Arc::clone(&party.server), party.offload.clone());
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&party.client));
        let (ours, theirs) = tokio::join!(acceptor.accept(server), connector.connect(name, client));
        (ours, theirs.expect("a handshake").into())
    } else {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(&party.server));
        let connector = TlsConnector::new(Arc::clone(&party.client), party.offload.clone());
        let (ours, theirs) = tokio::join!(connector.connect(name, client), acceptor.accept(server));
        (ours, theirs.expect("a handshake").into())
    };
    (ours.expect("a handshake"), theirs)
}

/// Does something of this kind; whether it has begun something that nobody has asked for since.
fn step(
    kind: usize,
    ours: &mut Ours,
    theirs: &mut Theirs,
    content: &[u8],
    rng: &mut StdRng,
) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    let piece = &content[..random::length(rng, PIECE_BYTES)];
    let (mine, mut other) = (Pin::new(&mut *ours), Pin::new(theirs));
    let mut space = vec![0; PIECE_BYTES];
    let mut space = ReadBuf::new(&mut space);
    match kind {
        0 => !matches!(mine.poll_write(&mut cx, piece), Poll::Ready(Ok(0) | Err(_))),
        1 => {
            let written = other.as_mut().poll_write(&mut cx, piece);
            let _: Poll<_> = other.poll_flush(&mut cx);
            // What has arrived is begun to be opened.
            let is_opening = mine.poll_read(&mut cx, &mut space).is_pending();
            is_opening && matches!(written, Poll::Ready(Ok(1..)))
        }
        2 => mine.poll_flush(&mut cx).is_pending(),
        3 => mine.poll_read(&mut cx, &mut space).is_pending(),
        4 => mine.poll_shutdown(&mut cx).is_pending(),
        _ => {
            ours.update_key();
            false
        }
    }
}
