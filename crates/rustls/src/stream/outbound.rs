// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a connection sends: content becomes records, several pieces at a time, and leaves in order.
//!
//! Sequence numbers and keys are settled when content is taken. Operations end in any order that they like; the socket
//! gets their records in the order of their sequence numbers.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::{AlertDescription, Error, SupportedCipherSuite};
use sealgate_abi::{MAX_FRAGMENT_BYTES, TlsVersion};
use sealgate_driver::{DeviceError, PlaintextHead, Sealing, Session};
use tokio::io::AsyncWrite;

use super::control::{AlertLevel, encode_alert, encode_key_update};
use super::handshake::Kernel;
use super::offload::Keys;
use crate::counters::{Operation, Reason};
use crate::record::{SoftwareSealer, tls_version};

/// Content types (RFC 8446, section 5.1).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

/// Most bytes of content of one piece: four full records, one entry on the device.
const PIECE_BYTES: usize = 4 * MAX_FRAGMENT_BYTES;

/// Most pieces under way or waiting to be sent: 64 full records and some.
const PIECES_MAX: usize = 20;

/// Records of this many bytes and less than that share a piece with those before, if software made both: one call of the
/// socket for all of them.
const JOINED_BYTES: usize = PIECE_BYTES;

/// A key is changed, or with TLS 1.2 the connection ended, so many records before it is worn out: what is to be said then
/// still has to be sealed under it.
const SPARE_RECORDS: u64 = 16;

/// Content that is becoming records, or records that wait to be sent.
enum Piece {
    Sealing {
        sealing: Sealing,
        content_type: u8,
        sequence: u64,
        counted: bool,
    },
    Sealed(Vec<u8>),
    /// An alert that is sealed in software when all before it is: some software wants rising sequence numbers.
    Alert {
        content: [u8; 2],
        sequence: u64,
    },
}

/// The sending side of a connection.
pub(super) struct Outbound {
    keys: Keys<SoftwareSealer>,
    suite: SupportedCipherSuite,
    pieces: VecDeque<Piece>,
    /// Pieces that are not in ordinary memory as records. Software seals nothing behind them: its sequence numbers have to
    /// rise, and one of them may be left to it.
    unsealed: usize,
    /// Bytes of the first piece that were sent.
    sent: usize,
    key_update_wanted: bool,
    close_notify: bool,
    /// A record could not be sealed: nothing may follow it.
    failed: bool,
}

impl Outbound {
    pub(super) fn new(keys: Keys<SoftwareSealer>, suite: SupportedCipherSuite) -> Self {
        Self {
            keys,
            suite,
            pieces: VecDeque::new(),
            unsealed: 0,
            sent: 0,
            key_update_wanted: false,
            close_notify: false,
            failed: false,
        }
    }

    /// Takes application data, of which there is some, as far as there is room. Nothing is waited for; what was taken is sent by
    /// [`Self::poll_send`].
    ///
    /// `None`: there is no room before something was sent.
    pub(super) fn take(&mut self, content: &[io::IoSlice<'_>]) -> io::Result<Option<usize>> {
        if self.close_notify {
            let what = "the TLS stream was shut down for writing";
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, what));
        }
        let most = self.keys.session.as_ref().map_or(PIECE_BYTES, Session::content_max);
        let mut taken = 0;
        while self.pieces.len() < PIECES_MAX {
            let piece = cut(content, taken, most.min(PIECE_BYTES));
            let bytes = piece.iter().map(|slice| slice.len()).sum();
            if bytes == 0
                || !self.seal(APPLICATION_DATA, &piece, bytes).map_err(io::Error::other)?
            {
                break;
            }
            taken += bytes;
        }
        Ok((taken > 0).then_some(taken))
    }

    /// Pieces that were taken and not sent.
    pub(super) fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// The next key is to be taken before any more application data.
    pub(super) fn want_key_update(&mut self) {
        // Nothing follows the end (RFC 8446, section 6.1).
        self.key_update_wanted = !self.close_notify;
    }

    /// Whether the key is to be changed: it was asked for, or the key is nearly worn out (RFC 8446, section 5.5).
    pub(super) fn is_key_due(&self) -> bool {
        let most = records_of(PIECE_BYTES) * PIECES_MAX as u64 + SPARE_RECORDS;
        let limit = confidentiality_limit(self.suite).saturating_sub(most);
        !self.close_notify && (self.key_update_wanted || self.keys.sequence >= limit)
    }

    /// Goes on under the next key, which a key update tells the peer of. To be called when everything was sent: what the
    /// device has not done is sealed again in software, and that needs the key of then.
    ///
    /// A connection of TLS 1.2, which cannot change its key, ends here.
    pub(super) fn renew_key(&mut self, kernel: &mut Kernel) -> Result<(), Error> {
        if tls_version(self.suite) == TlsVersion::Tls12 {
            self.close()?;
            return Err(Error::EncryptError);
        }
        self.key_update_wanted = false;
        self.seal_in_software(HANDSHAKE, &encode_key_update(false), Reason::BelowThreshold)?;
        self.keys.change(self.suite, kernel.update_tx_secret()?)
    }

    /// Sends a warning after all that was taken.
    pub(super) fn warn(&mut self, description: AlertDescription) -> Result<(), Error> {
        self.alert_on_the_spot(AlertLevel::Warning, description)
    }

    /// Ends the connection with a fatal alert.
    pub(super) fn fail(&mut self, description: AlertDescription) -> Result<(), Error> {
        self.close_notify = true;
        self.alert_on_the_spot(AlertLevel::Fatal, description)
    }

    /// Seals an alert in software, so that it can leave at once, or is queued behind what the device has.
    fn alert_on_the_spot(
        &mut self,
        level: AlertLevel,
        description: AlertDescription,
    ) -> Result<(), Error> {
        let content = encode_alert(level, description);
        if self.unsealed == 0 {
            return self.seal_in_software(ALERT, &content, Reason::BelowThreshold);
        }
        self.pieces.push_back(Piece::Alert { content, sequence: self.keys.sequence });
        self.unsealed += 1;
        self.keys.sequence += 1;
        Ok(())
    }

    /// Says that nothing follows, once.
    pub(super) fn close(&mut self) -> Result<(), Error> {
        if self.close_notify {
            return Ok(());
        }
        self.close_notify = true;
        let (level, description) = (AlertLevel::Warning, AlertDescription::CloseNotify);
        let content = encode_alert(level, description);
        if self.seal(ALERT, &[&content], content.len())? {
            return Ok(());
        }
        self.alert_on_the_spot(level, description)
    }

    /// Sends what was taken; `Ready` when all of it went to the socket.
    pub(super) fn poll_send<IO: AsyncWrite + Unpin>(
        &mut self,
        io: &mut IO,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.failed {
            return Poll::Ready(Err(io::Error::other("a record of the connection was lost")));
        }
        while !self.pieces.is_empty() {
            ready!(self.poll_first(cx))?;
            let written = self.poll_write_first(io, cx);
            if written.is_pending() {
                self.yield_buffers(cx);
            }
            ready!(written)?;
            if let Some(Piece::Sealing { .. }) = self.pieces.pop_front() {
                self.unsealed -= 1;
            }
            self.sent = 0;
        }
        Poll::Ready(Ok(()))
    }

    /// Gives the records of the first piece to the socket.
    fn poll_write_first<IO: AsyncWrite + Unpin>(
        &mut self,
        io: &mut IO,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let records = match self.pieces.front() {
            Some(Piece::Sealing { sealing, .. }) => sealing.records(),
            Some(Piece::Sealed(records)) => records,
            Some(Piece::Alert { .. }) | None => &[],
        };
        while self.sent < records.len() {
            let sent = ready!(Pin::new(&mut *io).poll_write(cx, &records[self.sent..]))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += sent;
        }
        Poll::Ready(Ok(()))
    }

    /// The peer takes nothing for now: where buffers are scarce, what was sealed waits in ordinary memory.
    fn yield_buffers(&mut self, cx: &mut Context<'_>) {
        if !self.keys.session.as_ref().is_ok_and(Session::buffers_are_scarce) {
            return;
        }
        let mut sent = std::mem::take(&mut self.sent);
        let counters = self.keys.counters();
        for piece in &mut self.pieces {
            if let Piece::Sealing { sealing, counted, .. } = piece
                && let Poll::Ready(Ok(segments)) = sealing.poll(cx)
            {
                if !*counted {
                    let (records, bytes) = (segments.records as u64, sealing.content().len());
                    counters.count_device_records(Operation::Seal, records, bytes);
                }
                let rest = sealing.records().get(sent..).unwrap_or(&[]).to_vec();
                *piece = Piece::Sealed(rest);
                self.unsealed -= 1;
            } else if sent > 0 {
                // The first piece, in ordinary memory already.
                self.sent = sent;
            }
            sent = 0;
        }
    }

    /// Waits until the first piece is sealed; what the device did not do is done in software.
    fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(&Piece::Alert { content, sequence }) = self.pieces.front() {
            let mut records = Vec::new();
            let reason = Reason::BelowThreshold;
            let sealed = self.keys.seal_again(ALERT, sequence, &content, reason, &mut records);
            self.failed |= sealed.is_err();
            self.pieces[0] = Piece::Sealed(records);
            self.unsealed -= 1;
            return Poll::Ready(sealed.map_err(io::Error::other));
        }
        let Some(Piece::Sealing { sealing, content_type, sequence, counted }) =
            self.pieces.front_mut()
        else {
            return Poll::Ready(Ok(()));
        };
        match ready!(sealing.poll(cx)) {
            // It is looked at again for as long as the socket does not take all of it.
            Ok(_) if *counted => Poll::Ready(Ok(())),
            Ok(segments) => {
                *counted = true;
                let (records, bytes) = (segments.records as u64, sealing.content().len());
                self.keys.counters().count_device_records(Operation::Seal, records, bytes);
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                let (content_type, sequence) = (*content_type, *sequence);
                Poll::Ready(self.seal_first_again(content_type, sequence, &error))
            }
        }
    }

    /// Seals the first piece in software, with the sequence numbers that it has. The device may have done so too, and then
    /// it made the same records.
    fn seal_first_again(
        &mut self,
        content_type: u8,
        sequence: u64,
        error: &DeviceError,
    ) -> io::Result<()> {
        let reason = Reason::from(error);
        self.keys.explain(Operation::Seal, reason, error);
        let Some(Piece::Sealing { sealing, .. }) = self.pieces.pop_front() else { return Ok(()) };
        self.unsealed -= 1;
        let mut records = Vec::new();
        let content = sealing.content();
        let sealed = self.keys.seal_again(content_type, sequence, content, reason, &mut records);
        self.failed |= sealed.is_err();
        self.pieces.push_front(Piece::Sealed(records));
        sealed.map_err(io::Error::other)
    }

    /// Has content sealed. `false`: there is no room.
    fn seal(&mut self, content_type: u8, content: &[&[u8]], bytes: usize) -> Result<bool, Error> {
        let reason = match self.keys.software_reason(bytes, self.unsealed > 0) {
            Some(reason) => reason,
            None => match self.start(content_type, content, bytes) {
                Ok(()) => return Ok(true),
                // What the device has already will end soon, well or not, and goes first.
                Err(_) if self.unsealed > 0 => return Ok(false),
                Err(error) => {
                    let reason = Reason::from(&error);
                    self.keys.explain(Operation::Seal, reason, &error);
                    reason
                }
            },
        };
        match content {
            [whole] => self.seal_in_software(content_type, whole, reason)?,
            pieces => self.seal_in_software(content_type, &pieces.concat(), reason)?,
        }
        Ok(true)
    }

    /// Seals content in software, in order with the rest.
    fn seal_in_software(
        &mut self,
        content_type: u8,
        content: &[u8],
        reason: Reason,
    ) -> Result<(), Error> {
        let mut records = match self.pieces.pop_back() {
            Some(Piece::Sealed(records)) if records.len() < JOINED_BYTES => records,
            other => {
                self.pieces.extend(other);
                Vec::new()
            }
        };
        let sequence = self.keys.sequence;
        let sealed = self.keys.seal_again(content_type, sequence, content, reason, &mut records);
        self.pieces.push_back(Piece::Sealed(records));
        self.keys.sequence += records_of(content.len());
        sealed
    }

    /// Has the device begin to seal content.
    fn start(
        &mut self,
        content_type: u8,
        content: &[&[u8]],
        bytes: usize,
    ) -> Result<(), DeviceError> {
        let sequence = self.keys.sequence;
        let Ok(session) = &mut self.keys.session else {
            return Err(DeviceError::InvalidArgument { what: "there is no session" });
        };
        let mut buffer = session.buffer()?;
        for slice in content {
            buffer.append(slice)?;
        }
        let head = PlaintextHead { content_type, sequence, padding_multiple: 0 };
        let sealing = session.start_seal(buffer, head, 0);
        let piece = Piece::Sealing { sealing, content_type, sequence, counted: false };
        self.pieces.push_back(piece);
        self.unsealed += 1;
        self.keys.sequence += records_of(bytes);
        Ok(())
    }
}

impl Keys<SoftwareSealer> {
    /// Appends the records of `content`, the first with this sequence number.
    fn seal_again(
        &mut self,
        content_type: u8,
        mut sequence: u64,
        content: &[u8],
        reason: Reason,
        records: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let empty = content.is_empty().then_some(content);
        for fragment in content.chunks(MAX_FRAGMENT_BYTES).chain(empty) {
            self.software.seal(content_type, sequence, &[fragment], records)?;
            self.counters().count_software(Operation::Seal, reason, fragment.len());
            sequence += 1;
        }
        Ok(())
    }
}

/// Records that so many bytes of content become.
fn records_of(bytes: usize) -> u64 {
    bytes.div_ceil(MAX_FRAGMENT_BYTES).max(1) as u64
}

fn confidentiality_limit(suite: SupportedCipherSuite) -> u64 {
    match suite {
        SupportedCipherSuite::Tls13(suite) => suite.common.confidentiality_limit,
        SupportedCipherSuite::Tls12(suite) => suite.common.confidentiality_limit,
    }
}

/// The next piece of content, of which the first bytes were taken before.
fn cut<'a>(content: &'a [io::IoSlice<'_>], mut taken: usize, mut left: usize) -> Vec<&'a [u8]> {
    let mut piece = Vec::with_capacity(content.len().min(16));
    for slice in content {
        let rest = slice.get(taken.min(slice.len())..).unwrap_or(&[]);
        taken = taken.saturating_sub(slice.len());
        let part = &rest[..rest.len().min(left)];
        if !part.is_empty() {
            piece.push(part);
            left -= part.len();
        }
        if left == 0 {
            break;
        }
    }
    piece
}
