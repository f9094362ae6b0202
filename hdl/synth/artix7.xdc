# The four pins of the harness, on a package that has them. Routing stops without places for pins.
set_property LOC R4 [get_ports clk]
set_property LOC T1 [get_ports rst_n]
set_property LOC U1 [get_ports scan_in]
set_property LOC V4 [get_ports scan_out]
set_property IOSTANDARD LVCMOS33 [get_ports clk]
set_property IOSTANDARD LVCMOS33 [get_ports rst_n]
set_property IOSTANDARD LVCMOS33 [get_ports scan_in]
set_property IOSTANDARD LVCMOS33 [get_ports scan_out]
