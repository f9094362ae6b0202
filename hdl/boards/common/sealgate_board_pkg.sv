// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What board wrappers share.

`default_nettype none

package sealgate_board_pkg;

  // How a shell wants an interrupt line.
  typedef enum logic [1:0] {
    IrqPulse,              // high for one cycle, nothing comes back
    IrqPulseAcknowledged,  // high for one cycle, and not again before the acknowledgement
    IrqHeld                // high until acknowledged and serviced
  } irq_style_e;

endpackage

`default_nettype wire
