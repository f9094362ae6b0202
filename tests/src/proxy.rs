// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A man in the middle: relays TLS records between clients and one server, and alters one when told to.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::record::{APPLICATION_DATA, HEADER_BYTES};

/// Which way a record goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// What is delivered in place of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes, and then the end of the stream.
    Last(Vec<u8>),
}

/// Makes of a record, header included, what is delivered in its place.
pub type Alteration = fn(Vec<u8>) -> Delivery;

/// The proxy; stops taking connections when dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where clients connect.
    pub address: SocketAddr,
    pending: Pending,
    stopped: Arc<AtomicBool>,
}

/// The alteration that the next record of application data of a way is to undergo, or with TLS 1.3 the next protected
/// one, as those look alike.
type Pending = Arc<Mutex<Option<(Way, Alteration)>>>;

impl Proxy {
    /// Listens on a free port of the loopback interface, in front of `server`.
    #[must_use]
    pub fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let pending = Pending::default();
        let stopped = Arc::new(AtomicBool::new(false));
        let proxy = Self { address, pending: Arc::clone(&pending), stopped: Arc::clone(&stopped) };
        thread::spawn(move || {
            while let Ok((client, _)) = listener.accept()
                && !stopped.load(Ordering::Relaxed)
            {
                relay_connection(&client, server, &pending).expect("a connection is relayed");
            }
        });
        proxy
    }

    /// Alters the next record of application data that goes this way, of whichever connection.
    pub fn alter_next(&self, way: Way, alteration: Alteration) {
        *lock(&self.pending) = Some((way, alteration));
    }

    /// Whether the alteration is still to come.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        lock(&self.pending).is_some()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts; if it has ended there is nothing to wake.
        let _ = TcpStream::connect(self.address);
    }
}

fn relay_connection(client: &TcpStream, server: SocketAddr, pending: &Pending) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    for (from, to, way) in [(client, &server, Way::ToServer), (&server, client, Way::ToClient)] {
        to.set_nodelay(true)?;
        let (from, to, pending) = (from.try_clone()?, to.try_clone()?, Arc::clone(pending));
        thread::spawn(move || {
            // However this way ends, the receiver learns of the end; the other way goes on.
            let _ = relay(from, &to, way, &pending);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
    Ok(())
}

/// Relays records until the sender closes.
fn relay(mut from: TcpStream, mut to: &TcpStream, way: Way, pending: &Pending) -> io::Result<()> {
    loop {
        let mut record = vec![0; HEADER_BYTES];
        from.read_exact(&mut record)?;
        let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
        record.resize(HEADER_BYTES + length, 0);
        from.read_exact(&mut record[HEADER_BYTES..])?;
        let alteration = (record[0] == APPLICATION_DATA).then(|| take(pending, way)).flatten();
        match alteration
            .map_or_else(|| Delivery::Bytes(record.clone()), |alter| alter(record.clone()))
        {
            Delivery::Bytes(bytes) => to.write_all(&bytes)?,
            Delivery::Last(bytes) => return to.write_all(&bytes),
        }
    }
}

fn take(pending: &Pending, way: Way) -> Option<Alteration> {
    lock(pending).take_if(|(wanted, _)| *wanted == way).map(|(_, alteration)| alteration)
}

fn lock(pending: &Pending) -> std::sync::MutexGuard<'_, Option<(Way, Alteration)>> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}
