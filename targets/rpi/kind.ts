import type { Finding, Requirement } from "../kind.ts";
import { linuxLike } from "../linux/kind.ts";
import { decodeThrottled, throttlingDuring } from "./throttled.ts";

const powerSupply = "use the official power supply (Pi 5: 5 V / 5 A; Pi 4: 5.1 V / 3 A) and a short cable";

/** The firmware's own word about power and heat. */
const firmware: Requirement = ({ throttledBits }): Finding | undefined => {
  const throttled = decodeThrottled(throttledBits);
  if (!throttled) return { severity: "warning", what: "vcgencmd does not answer: under-voltage and throttling cannot be seen", fix: "sudo apt-get install -y raspberrypi-utils && sudo usermod -aG video $USER   (then log in again)" };
  if (throttled.now.length > 0) return { severity: "warning", what: `the firmware reports ${throttled.now.join(", ")} now (${throttledBits})`, fix: throttled.now.includes("under-voltage") ? powerSupply : "let it cool down, or mount a fan" };
  if (throttled.sinceBoot.includes("under-voltage")) return { severity: "warning", what: `the firmware has seen under-voltage since it was powered (${throttledBits})`, fix: powerSupply };
  return undefined;
};

/** Raspberry Pi 4 and 5, and the compute modules with the same chips. */
export const rpiKind = linuxLike("rpi", [firmware], (readings) => throttlingDuring(readings.map(({ throttledBits }) => throttledBits)));
