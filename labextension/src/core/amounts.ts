/** Amounts of memory and time as people type them, by the rules of the server's `units` (tests/cases/amounts.json). */

const UNITS: Record<string, number> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };
const MEMORY = /^(\d{1,7})(?:[.,](\d{1,3}))? ?(?:([kmgt])(?:i?b)?)?$/i;
const CLOCK = /^(?:(\d{1,3})-)?(\d{1,4})(?::([0-5]?\d))?(?::([0-5]?\d))?$/;
const NUMBER = String.raw`(\d{1,5}(?:[.,]\d{1,3})?)`;
const SPOKEN = new RegExp(
  `^(?:${NUMBER} ?d(?:ays?)?)? ?(?:${NUMBER} ?h(?:ours?|rs?)?)? ?(?:${NUMBER} ?m(?:in(?:ute)?s?)?)?$`,
  'i',
);
const MINUTE_S = 60;

/** Bytes of `4`, `4g`, `1.5 GB` (1024-based; a number alone is gigabytes); null for what is no amount. */
export function memoryOf(text: string): number | null {
  const found = MEMORY.exec(text.trim());
  if (!found) {
    return null;
  }
  const thousandths = Number(found[1]) * 1000 + Number((found[2] ?? '').padEnd(3, '0'));
  const unit = UNITS[(found[3] ?? 'g').toLowerCase()] ?? 1;
  return Math.floor((thousandths * unit) / 1000) || null;
}

/** The shortest exact text of a number of bytes, never below KB. */
export function memoryText(bytes: number): string {
  const exact = ['t', 'g', 'm'].find(unit => bytes % (UNITS[unit] ?? 1) === 0) ?? 'k';
  return `${Math.ceil(bytes / (UNITS[exact] ?? 1))}${exact.toUpperCase()}B`;
}

/** Seconds of `HH:MM:SS`, `D-HH[:MM[:SS]]`, `2h`, `90 min`, `1 day 12 h`; null for what is no time of a minute or more. */
export function walltimeOf(text: string): number | null {
  const seconds = clockOf(text.trim()) ?? spokenOf(text.trim());
  return seconds === null || seconds < MINUTE_S ? null : seconds;
}

/** `HH:MM:SS` of a number of seconds, hours unbounded. */
export function walltimeText(seconds: number): string {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map(part => String(part).padStart(2, '0')).join(':');
}

function clockOf(text: string): number | null {
  const found = CLOCK.exec(text);
  const [, leading, , colon, last] = found ?? ([] as (string | undefined)[]);
  if (!found || (leading === undefined && colon === undefined)) {
    return null;
  }
  const [days, first, second, third] = found.slice(1).map(part => Number(part || 0)) as [
    number,
    number,
    number,
    number,
  ];
  if (leading === undefined && last === undefined) {
    return first < 60 ? first * 60 + second : null;
  }
  return ((days * 24 + first) * 60 + second) * 60 + third;
}

function spokenOf(text: string): number | null {
  const found = text ? SPOKEN.exec(text) : null;
  const sizes = [86_400, 3_600, 60];
  const amount = (part: string | undefined): number => Number((part ?? '0').replace(',', '.'));
  return found && Math.floor(sizes.reduce((sum, size, index) => sum + amount(found[index + 1]) * size, 0));
}
