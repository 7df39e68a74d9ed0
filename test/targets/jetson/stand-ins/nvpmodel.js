// Stand-in, not a device: `nvpmodel -q` as JetPack 6 and 7 print it, with the warnings of older boards where STAND_IN_BOARD=nano.
process.stdout.write(process.env.STAND_IN_BOARD === "nano" ? "NVPM WARN: fan mode is not set!\nNV Power Mode: MAXN\n0\n" : "NV Power Mode: MAXN_SUPER\n2\n");
