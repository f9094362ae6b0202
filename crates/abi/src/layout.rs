// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The layouts as tables: `cargo xtask codegen` prints them as the RTL's package `sealgate_abi_pkg`.
//!
//! Names there are `UpperCamel`: `EntryOpcodeLsb` and `EntryOpcodeWidth` for a field, `OpcodeSeal`, `SuiteAes128Gcm`,
//! `VersionTls13`, `DirectionSeal` (8 bits), `StatusBadTag` (7 bits) for a code, `MaxFragmentBytes` for a limit.

use core::mem::{offset_of, size_of};

use crate::completion::Completion;
use crate::entry::{
    ContextEntry, Direction, ENTRY_BYTES, Opcode, RESERVED_BYTES, RecordEntry, Suite, TlsVersion,
};
use crate::status::Status;

/// Place of a field in an entry, counted in bits from bit 0 of byte 0.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The entry: `entry` (SEAL, OPEN, `OPEN_RUN`, NOP, `CTX_DROP`), `load` (`CTX_LOAD`) or `completion`.
    pub entry: &'static str,
    /// Name of the field.
    pub name: &'static str,
    /// Lowest bit.
    pub lsb: usize,
    /// Number of bits.
    pub width: usize,
}

const fn field(entry: &'static str, name: &'static str, byte: usize, bytes: usize) -> Field {
    Field { entry, name, lsb: 8 * byte, width: 8 * bytes }
}

/// Every field of every entry.
pub const FIELDS: &[Field] = &[
    field("entry", "opcode", offset_of!(RecordEntry, opcode), 1),
    field("entry", "content_type", offset_of!(RecordEntry, content_type), 1),
    field("entry", "context", offset_of!(RecordEntry, context), 2),
    field("entry", "cookie", offset_of!(RecordEntry, cookie), 2),
    field("entry", "padding_multiple", offset_of!(RecordEntry, padding_multiple), 2),
    field("entry", "sequence", offset_of!(RecordEntry, sequence), 8),
    field("entry", "source", offset_of!(RecordEntry, source), 8),
    field("entry", "destination", offset_of!(RecordEntry, destination), 8),
    field("entry", "length", offset_of!(RecordEntry, length), 4),
    field("entry", "capacity", offset_of!(RecordEntry, capacity), 4),
    field("entry", "fragment_limit", offset_of!(RecordEntry, fragment_limit), 2),
    field("entry", "reserved", offset_of!(RecordEntry, reserved), RESERVED_BYTES),
    field("load", "suite", offset_of!(ContextEntry, suite), 1),
    field("load", "version", offset_of!(ContextEntry, version), 1),
    field("load", "direction", offset_of!(ContextEntry, direction), 1),
    field("load", "iv", offset_of!(ContextEntry, iv), 12),
    field("load", "reserved", offset_of!(ContextEntry, reserved), 12),
    field("load", "key", offset_of!(ContextEntry, key), 32),
    field("completion", "cookie", offset_of!(Completion, cookie), 2),
    field("completion", "sq_head", offset_of!(Completion, sq_head), 2),
    field("completion", "written", offset_of!(Completion, written), 4),
    field("completion", "consumed", offset_of!(Completion, consumed), 4),
    field("completion", "records", offset_of!(Completion, records), 2),
    field("completion", "content_type", offset_of!(Completion, content_type), 1),
    Field {
        entry: "completion",
        name: "status",
        lsb: 8 * offset_of!(Completion, status_phase),
        width: 7,
    },
    Field {
        entry: "completion",
        name: "phase",
        lsb: 8 * offset_of!(Completion, status_phase) + 7,
        width: 1,
    },
];

/// Operations, each with its code.
pub const OPCODES: &[(&str, u8)] = &[
    ("nop", Opcode::Nop as u8),
    ("context_load", Opcode::ContextLoad as u8),
    ("context_drop", Opcode::ContextDrop as u8),
    ("seal", Opcode::Seal as u8),
    ("open", Opcode::Open as u8),
    ("open_run", Opcode::OpenRun as u8),
];

/// Suites, each with its code.
pub const SUITES: &[(&str, u8)] = &[
    ("aes_128_gcm", Suite::Aes128Gcm as u8),
    ("aes_256_gcm", Suite::Aes256Gcm as u8),
    ("chacha20_poly1305", Suite::Chacha20Poly1305 as u8),
];

/// Record formats, each with its code.
pub const VERSIONS: &[(&str, u8)] =
    &[("tls12", TlsVersion::Tls12 as u8), ("tls13", TlsVersion::Tls13 as u8)];

/// Directions, each with its code.
pub const DIRECTIONS: &[(&str, u8)] =
    &[("seal", Direction::Seal as u8), ("open", Direction::Open as u8)];

/// Every status; names by [`Status::name`].
pub const STATUSES: &[Status] = &Status::ALL;

/// Limits that the RTL checks, each with its value.
pub const LIMITS: &[(&str, u64)] = &[
    ("max_fragment_bytes", crate::MAX_FRAGMENT_BYTES as u64),
    ("max_inner_plaintext_bytes", crate::MAX_INNER_PLAINTEXT_BYTES as u64),
    ("max_encrypted_record_bytes", crate::MAX_ENCRYPTED_RECORD_BYTES as u64),
    ("min_record_bytes", crate::MIN_RECORD_BYTES as u64),
    ("max_record_bytes", crate::MAX_RECORD_BYTES as u64),
    ("max_tls12_record_bytes", crate::MAX_TLS12_RECORD_BYTES as u64),
    ("min_tls12_gcm_record_bytes", crate::MIN_TLS12_GCM_RECORD_BYTES as u64),
    ("min_tls12_chacha_record_bytes", crate::MIN_TLS12_CHACHA_RECORD_BYTES as u64),
    ("max_seal_bytes", crate::MAX_SEAL_BYTES as u64),
    ("min_fragment_limit", crate::MIN_FRAGMENT_LIMIT as u64),
    ("record_header_bytes", crate::RECORD_HEADER_BYTES as u64),
    ("tag_bytes", crate::TAG_BYTES as u64),
    ("entry_bytes", ENTRY_BYTES as u64),
    ("completion_bytes", Completion::BYTES as u64),
    ("seal_sequence_limit", crate::SEAL_SEQUENCE_LIMIT),
    ("open_run_sequence_margin", crate::OPEN_RUN_SEQUENCE_MARGIN),
];

const _: () = {
    assert!(size_of::<RecordEntry>() == ENTRY_BYTES);
    assert!(size_of::<ContextEntry>() == ENTRY_BYTES);
    assert!(size_of::<Completion>() == Completion::BYTES);
    // The header is common to both kinds of submission entry.
    assert!(offset_of!(RecordEntry, opcode) == offset_of!(ContextEntry, opcode));
    assert!(offset_of!(RecordEntry, context) == offset_of!(ContextEntry, context));
    assert!(offset_of!(RecordEntry, cookie) == offset_of!(ContextEntry, cookie));
    // A polling host reads the last byte of a completion first.
    assert!(offset_of!(Completion, status_phase) == Completion::BYTES - 1);
    // Little-endian on the wire; the host copies fields as they are.
    assert!(cfg!(target_endian = "little"));
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_an_entry_do_not_overlap_and_leave_no_gap() {
        for (entry, bits) in [("entry", 512), ("completion", 128)] {
            let mut next = 0;
            for field in FIELDS.iter().filter(|field| field.entry == entry) {
                assert_eq!(field.lsb, next, "{entry}.{}", field.name);
                next += field.width;
            }
            assert_eq!(next, bits, "{entry}");
        }
    }
}
