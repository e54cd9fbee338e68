const units = ["B", "KiB", "MiB", "GiB", "TiB"];

const number = (value, digits) =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Formats a count with separators. */
export const count = value => number(value, 0);

/** Formats a number of bytes in a suitable binary unit. */
export function bytes(value) {
  const power = value < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  const scaled = value / 1024 ** power;
  return `${number(scaled, power === 0 || scaled >= 100 ? 0 : 1)} ${units[power]}`;
}

/** Formats a time in milliseconds or seconds. */
export function duration(milliseconds) {
  return milliseconds < 1000 ? `${number(milliseconds, 0)} ms` : `${number(milliseconds / 1000, milliseconds < 10000 ? 2 : 1)} s`;
}

/** Formats a number of tokens per second. */
export const speed = value => number(value, value < 100 ? 1 : 0);

/** Formats a share in percent. */
export const percent = value => `${number(value * 100, 1)} %`;

/** Formats a ratio with the multiplication sign. */
export const times = value => `${number(value, 1)}×`;

/** Formats ascending numbers as ranges: "0–3, 7". */
export function ranges(numbers) {
  const parts = [];
  for (let start = 0; start < numbers.length;) {
    let end = start;
    while (end + 1 < numbers.length && numbers[end + 1] === numbers[end] + 1) end++;
    parts.push(end > start ? `${numbers[start]}–${numbers[end]}` : `${numbers[start]}`);
    start = end + 1;
  }
  return parts.join(", ");
}

/** Formats a time as the part of a list that it belongs to. */
export function ageOf(time) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const day = 24 * 60 * 60 * 1000;
  return time >= midnight ? "Today" : time >= midnight - day ? "Yesterday" : time >= midnight - 6 * day ? "Last 7 days" : "Earlier";
}
