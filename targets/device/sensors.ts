import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { SensorReading } from "./job.ts";

const firmwareEverySeconds = 5;

/** Reads heat, clock and the firmware's warnings of the device that it runs on, at most once a second, from files (about 0.1 ms). */
export const sensorReader = (startedMs: number): { readonly readings: SensorReading[]; readonly read: (force?: boolean) => void } => {
  const readings: SensorReading[] = [];
  let [last, firmwareAt] = [-Infinity, -Infinity];
  return {
    readings,
    read: (force = false) => {
      const seconds = (performance.now() - startedMs) / 1000;
      if (!force && seconds - last < 1) return;
      last = seconds;
      const askFirmware = force || seconds - firmwareAt >= firmwareEverySeconds;
      if (askFirmware) firmwareAt = seconds;
      readings.push({
        seconds, temperatureC: scaled("/sys/class/thermal/thermal_zone0/temp", 1000), clockMHz: scaled("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", 1000),
        throttledBits: askFirmware ? throttledBits() : null,
      });
    },
  };
};

const scaled = (path: string, divisor: number): number | null => {
  try {
    return Number(readFileSync(path, "utf8")) / divisor;
  } catch {
    return null; // not every board has the file
  }
};

const throttledBits = (): string | null => {
  const { stdout } = spawnSync("vcgencmd", ["get_throttled"], { encoding: "utf8", timeout: 2000 });
  return /throttled=(0x[0-9a-fA-F]+)/.exec(typeof stdout === "string" ? stdout : "")?.[1] ?? null;
};
