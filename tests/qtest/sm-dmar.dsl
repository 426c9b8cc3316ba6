/*
 * The DMAR table of a machine with three units: the second has the root bus of an
 * expander, the third a root port, the first all the rest. sm-acpi-test compares
 * it with what the simulator makes; "make golden" writes it anew.
 *
 * Format: [HexOffset DecimalOffset ByteLength]  FieldName : FieldValue
 */

[000h 0000   4]                    Signature : "DMAR"    [DMA Remapping table]
[004h 0004   4]                 Table Length : 00000098
[008h 0008   1]                     Revision : 01
[009h 0009   1]                     Checksum : BE
[00Ah 0010   6]                       Oem ID : "BOCHS "
[010h 0016   8]                 Oem Table ID : "BXPC    "
[018h 0024   4]                 Oem Revision : 00000001
[01Ch 0028   4]              Asl Compiler ID : "BXPC"
[020h 0032   4]        Asl Compiler Revision : 00000001

[024h 0036   1]           Host Address Width : 27
[025h 0037   1]                        Flags : 01
[026h 0038  10]                     Reserved : 00 00 00 00 00 00 00 00 00 00

[030h 0048   2]                Subtable Type : 0000 [Hardware Unit Definition]
[032h 0050   2]                       Length : 0020

[034h 0052   1]                        Flags : 00
[035h 0053   1]                     Reserved : 00
[036h 0054   2]           PCI Segment Number : 0000
[038h 0056   8]        Register Base Address : 00000000FED94000

[040h 0064   1]            Device Scope Type : 02 [PCI Bridge Device]
[041h 0065   1]                 Entry Length : 08
[042h 0066   2]                     Reserved : 0000
[044h 0068   1]               Enumeration ID : 00
[045h 0069   1]               PCI Bus Number : 40

[046h 0070   2]                     PCI Path : 00,00

[048h 0072   1]            Device Scope Type : 02 [PCI Bridge Device]
[049h 0073   1]                 Entry Length : 08
[04Ah 0074   2]                     Reserved : 0000
[04Ch 0076   1]               Enumeration ID : 00
[04Dh 0077   1]               PCI Bus Number : 40

[04Eh 0078   2]                     PCI Path : 01,00

[050h 0080   2]                Subtable Type : 0000 [Hardware Unit Definition]
[052h 0082   2]                       Length : 0018

[054h 0084   1]                        Flags : 00
[055h 0085   1]                     Reserved : 00
[056h 0086   2]           PCI Segment Number : 0000
[058h 0088   8]        Register Base Address : 00000000FED98000

[060h 0096   1]            Device Scope Type : 02 [PCI Bridge Device]
[061h 0097   1]                 Entry Length : 08
[062h 0098   2]                     Reserved : 0000
[064h 0100   1]               Enumeration ID : 00
[065h 0101   1]               PCI Bus Number : 00

[066h 0102   2]                     PCI Path : 04,00

[068h 0104   2]                Subtable Type : 0000 [Hardware Unit Definition]
[06Ah 0106   2]                       Length : 0018

[06Ch 0108   1]                        Flags : 01
[06Dh 0109   1]                     Reserved : 00
[06Eh 0110   2]           PCI Segment Number : 0000
[070h 0112   8]        Register Base Address : 00000000FED90000

[078h 0120   1]            Device Scope Type : 03 [IOAPIC Device]
[079h 0121   1]                 Entry Length : 08
[07Ah 0122   2]                     Reserved : 0000
[07Ch 0124   1]               Enumeration ID : 00
[07Dh 0125   1]               PCI Bus Number : FF

[07Eh 0126   2]                     PCI Path : 00,00

[080h 0128   2]                Subtable Type : 0002 [Root Port ATS Capability]
[082h 0130   2]                       Length : 0018

[084h 0132   1]                        Flags : 00
[085h 0133   1]                     Reserved : 00
[086h 0134   2]           PCI Segment Number : 0000

[088h 0136   1]            Device Scope Type : 02 [PCI Bridge Device]
[089h 0137   1]                 Entry Length : 08
[08Ah 0138   2]                     Reserved : 0000
[08Ch 0140   1]               Enumeration ID : 00
[08Dh 0141   1]               PCI Bus Number : 40

[08Eh 0142   2]                     PCI Path : 00,00

[090h 0144   1]            Device Scope Type : 02 [PCI Bridge Device]
[091h 0145   1]                 Entry Length : 08
[092h 0146   2]                     Reserved : 0000
[094h 0148   1]               Enumeration ID : 00
[095h 0149   1]               PCI Bus Number : 40

[096h 0150   2]                     PCI Path : 01,00

Raw Table Data: Length 152 (0x98)

    0000: 44 4D 41 52 98 00 00 00 01 BE 42 4F 43 48 53 20  // DMAR......BOCHS
    0010: 42 58 50 43 20 20 20 20 01 00 00 00 42 58 50 43  // BXPC    ....BXPC
    0020: 01 00 00 00 27 01 00 00 00 00 00 00 00 00 00 00  // ....'...........
    0030: 00 00 20 00 00 00 00 00 00 40 D9 FE 00 00 00 00  // .. ......@......
    0040: 02 08 00 00 00 40 00 00 02 08 00 00 00 40 01 00  // .....@.......@..
    0050: 00 00 18 00 00 00 00 00 00 80 D9 FE 00 00 00 00  // ................
    0060: 02 08 00 00 00 00 04 00 00 00 18 00 01 00 00 00  // ................
    0070: 00 00 D9 FE 00 00 00 00 03 08 00 00 00 FF 00 00  // ................
    0080: 02 00 18 00 00 00 00 00 02 08 00 00 00 40 00 00  // .............@..
    0090: 02 08 00 00 00 40 01 00                          // .....@..
