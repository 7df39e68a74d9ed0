// Stand-in, not a device: jetson_clocks --show, --store, --restore and locking, its state in the file STAND_IN_CLOCKS ("locked" or none).
import { appendFileSync, existsSync, rmSync, writeFileSync } from "node:fs";

const state = process.env.STAND_IN_CLOCKS;
const [verb, file] = process.argv.slice(2);
if (process.env.STAND_IN_LOG) appendFileSync(process.env.STAND_IN_LOG, `jetson_clocks ${process.argv.slice(2).join(" ")}\n`);
if (process.env.STAND_IN_CLOCKS_FAULT === "root" && verb !== "--show") { process.stderr.write("Error: Please run as root user\n"); process.exit(1); }
if (verb === "--store") {
  if (existsSync(file)) { process.stderr.write(`File ${file} already exists. Can I overwrite it? Y/N: \n`); process.exit(1); }
  writeFileSync(file, existsSync(state) ? "locked" : "free");
} else if (verb === "--restore") {
  if (!existsSync(file)) { process.stderr.write(`Can't open ${file}\n`); process.exit(1); }
  rmSync(state, { force: true });
} else if (verb === "--show") {
  const locked = existsSync(state);
  process.stdout.write(`SOC family:tegra234  Machine:NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super
Online CPUs: 0-5
cpu0: Online=1 Governor=schedutil MinFreq=${locked ? 1728000 : 729600} MaxFreq=1728000 CurrentFreq=1728000 IdleStates: WFI=${locked ? 0 : 1} c7=${locked ? 0 : 1}
cpu1: Online=1 Governor=schedutil MinFreq=${locked ? 1728000 : 729600} MaxFreq=1728000 CurrentFreq=1728000 IdleStates: WFI=${locked ? 0 : 1} c7=${locked ? 0 : 1}
GPU MinFreq=${locked ? 1020000000 : 306000000} MaxFreq=1020000000 CurrentFreq=${locked ? 1020000000 : 306000000}
EMC MinFreq=204000000 MaxFreq=3199000000 CurrentFreq=3199000000 FreqOverride=${locked ? 1 : 0}
FAN Dynamic Speed Control=nvfancontrol hwmon0_pwm1=66
NV Power Mode: MAXN_SUPER
`);
} else {
  writeFileSync(state, "locked");
  if (process.env.STAND_IN_CLOCKS_FAULT === "slow") setTimeout(() => undefined, 8000);
}
