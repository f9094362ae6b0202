// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A lane alone, without queues and buses around it: for measuring what a device costs beside its lane.

use std::collections::VecDeque;

use sealgate_abi::{Key, MAX_FRAGMENT_BYTES, Suite};

use super::RtlError;
use super::ffi::lane::{LaneInputs, LaneModel, LaneOutputs};

const WORD_BYTES: usize = 16;

const CONTEXT: u16 = 0;

/// Longest content of a record, in bytes.
pub const MAX_CONTENT_BYTES: usize = MAX_FRAGMENT_BYTES;

const RESET_CYCLES: u32 = 8;

/// Without a result for so many cycles the lane is stuck. A record takes a twentieth of it, and a wipe of all contexts after
/// reset a fifth.
const MAX_IDLE_CYCLES: u32 = 20_000;

/// A verilated `sealgate_lane` with somebody at each of its ports: it seals records of TLS 1.3, application data without
/// padding.
pub struct Lane {
    model: LaneModel,
    inputs: LaneInputs,
    outputs: LaneOutputs,
    suite: Option<Suite>,
    cycles: u64,
}

/// The lane, or whoever uses it, did not keep to its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LaneError {
    /// No key was taken, or no record finished, for many cycles.
    #[error("the lane is stuck: nothing finished in {MAX_IDLE_CYCLES} cycles, up to cycle {cycle}")]
    Stuck {
        /// The cycle in which it was given up.
        cycle: u64,
    },
    /// The lane wrote what belongs to no record.
    #[error("the lane wrote a word that nobody asked for, in cycle {cycle}")]
    Unasked {
        /// The cycle in which it came.
        cycle: u64,
    },
    /// A result was not success, which every SEAL ends with here.
    #[error("the lane ended record {record} with status {status}")]
    Status {
        /// Index of the record.
        record: usize,
        /// The status code.
        status: u8,
    },
    /// The key is of another suite than the one before.
    #[error("the keys of this lane are for {suite:?}: make another lane for another suite")]
    Suite {
        /// The suite of the first key.
        suite: Suite,
    },
    /// The content of a record is empty, or longer than a record may be.
    #[error("a content of {bytes} bytes is none: it has 1 to {MAX_CONTENT_BYTES}")]
    ContentLength {
        /// Bytes of the content.
        bytes: usize,
    },
}

impl Lane {
    /// A lane after reset.
    pub fn new() -> Result<Self, RtlError> {
        let mut lane = Self {
            model: LaneModel::new()?,
            inputs: LaneInputs { context: CONTEXT, ..LaneInputs::default() },
            outputs: LaneOutputs::default(),
            suite: None,
            cycles: 0,
        };
        for _ in 0..RESET_CYCLES {
            lane.step();
        }
        lane.inputs.rst_n = true;
        Ok(lane)
    }

    /// Clock cycles since the start of reset.
    #[must_use]
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Loads the key that records are sealed with from now on. All keys of a lane alone are of one suite: before one of another
    /// the context would have to be wiped, which nothing here asks for.
    pub fn load_key(&mut self, key: Key<'_>) -> Result<(), LaneError> {
        let suite = *self.suite.get_or_insert(key.suite());
        if key.suite() != suite {
            return Err(LaneError::Suite { suite });
        }
        let mut bytes = [0; 32];
        match key {
            Key::Aes128(key) => bytes[..16].copy_from_slice(key),
            Key::Aes256(key) | Key::Chacha20(key) => bytes = *key,
        }
        self.inputs.key_valid = true;
        self.inputs.key_data = bytemuck::cast(bytes);
        self.inputs.suite = suite as u8;
        self.step_until(|outputs| outputs.key_ready != 0)?;
        self.inputs.key_valid = false;
        self.inputs.key_data = [0; 4];
        self.step_until(|outputs| outputs.key_done != 0)
    }

    /// Seals each content as a record, one behind the other as fast as the lane takes them, with sequence numbers from
    /// `sequence_number` on. The records come whole: header, text and tag.
    pub fn seal(
        &mut self,
        iv: [u8; 12],
        sequence_number: u64,
        contents: &[&[u8]],
    ) -> Result<Vec<Vec<u8>>, LaneError> {
        let fits = |content: &&[u8]| (1..=MAX_CONTENT_BYTES).contains(&content.len());
        if let Some(content) = contents.iter().find(|content| !fits(content)) {
            return Err(LaneError::ContentLength { bytes: content.len() });
        }
        for (word, bytes) in self.inputs.job_iv.iter_mut().zip(iv.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        let mut stream = Stream::new(contents, sequence_number);
        let mut idle = 0;
        while stream.finished < contents.len() {
            stream.drive(&mut self.inputs);
            self.step();
            let before = stream.finished;
            stream.observe(&self.inputs, &self.outputs, self.cycles)?;
            idle = if stream.finished > before { 0 } else { idle + 1 };
            if idle > MAX_IDLE_CYCLES {
                return Err(LaneError::Stuck { cycle: self.cycles });
            }
        }
        Ok(stream.records)
    }

    fn step(&mut self) {
        self.model.step(&self.inputs, &mut self.outputs);
        self.cycles += 1;
    }

    fn step_until(&mut self, reached: impl Fn(&LaneOutputs) -> bool) -> Result<(), LaneError> {
        for _ in 0..MAX_IDLE_CYCLES {
            self.step();
            if reached(&self.outputs) {
                return Ok(());
            }
        }
        Err(LaneError::Stuck { cycle: self.cycles })
    }
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").field("cycles", &self.cycles).finish_non_exhaustive()
    }
}

/// Records on their way through the ports.
struct Stream<'a> {
    contents: &'a [&'a [u8]],
    sequence_number: u64,
    /// Jobs that were taken, and sources among them that were asked for.
    taken: usize,
    asked: usize,
    /// Where the next word of the source stands: its content, and the byte in it.
    source: (usize, usize),
    /// Bytes of each record that is being written, oldest first.
    spans: VecDeque<usize>,
    /// What there is of the first of them.
    record: Vec<u8>,
    records: Vec<Vec<u8>>,
    unacknowledged: usize,
    finished: usize,
}

impl<'a> Stream<'a> {
    fn new(contents: &'a [&'a [u8]], sequence_number: u64) -> Self {
        Self {
            contents,
            sequence_number,
            taken: 0,
            asked: 0,
            source: (0, 0),
            spans: VecDeque::new(),
            record: Vec::new(),
            records: Vec::new(),
            unacknowledged: 0,
            finished: 0,
        }
    }

    /// What the ports are given in this cycle.
    fn drive(&self, inputs: &mut LaneInputs) {
        let job = self.contents.get(self.taken);
        inputs.job_valid = job.is_some();
        inputs.job_sequence_number = self.sequence_number.wrapping_add(self.taken as u64);
        inputs.job_length = job.map_or(0, |content| content.len() as u32);
        let (content, byte) = self.source;
        inputs.source_word_valid = content < self.asked;
        if inputs.source_word_valid {
            let rest = &self.contents[content][byte..];
            let mut word = [0; WORD_BYTES];
            let bytes = rest.len().min(WORD_BYTES);
            word[..bytes].copy_from_slice(&rest[..bytes]);
            inputs.source_word_data = bytemuck::cast(word);
        }
        inputs.ack_valid = self.unacknowledged > 0;
    }

    /// What moved in this cycle.
    fn observe(
        &mut self,
        inputs: &LaneInputs,
        outputs: &LaneOutputs,
        cycle: u64,
    ) -> Result<(), LaneError> {
        self.taken += usize::from(inputs.job_valid && outputs.job_ready != 0);
        self.asked += usize::from(outputs.source_span_valid != 0);
        if inputs.source_word_valid && outputs.source_word_ready != 0 {
            let (content, byte) = self.source;
            let more = byte + WORD_BYTES < self.contents[content].len();
            self.source = if more { (content, byte + WORD_BYTES) } else { (content + 1, 0) };
        }
        self.unacknowledged -= usize::from(inputs.ack_valid && outputs.ack_ready != 0);
        if outputs.destination_span_valid != 0 {
            self.spans.push_back(outputs.destination_span_bytes as usize);
        }
        if outputs.destination_word_valid != 0 {
            self.write(bytemuck::cast(outputs.destination_word_data), cycle)?;
        }
        if outputs.result_valid != 0 {
            if outputs.result_status != 0 {
                let (record, status) = (self.finished, outputs.result_status);
                return Err(LaneError::Status { record, status });
            }
            self.finished += 1;
        }
        Ok(())
    }

    /// Puts a word behind what there is of the oldest record that is not whole.
    fn write(&mut self, word: [u8; WORD_BYTES], cycle: u64) -> Result<(), LaneError> {
        let bytes = *self.spans.front().ok_or(LaneError::Unasked { cycle })?;
        self.record.extend_from_slice(&word[..WORD_BYTES.min(bytes - self.record.len())]);
        if self.record.len() == bytes {
            self.spans.pop_front();
            self.unacknowledged += 1;
            self.records.push(std::mem::take(&mut self.record));
        }
        Ok(())
    }
}
