// Times as people type them. `now` and results are Unix seconds.

// A moment and how exact it was given: "12:00" means the whole minute.
export interface Moment { from: number; width: number }

// In UTC, or the browser's own zone.
function epoch(utc: boolean, [year, month, day]: number[], [hour = 0, minute = 0, second = 0]: number[]): number {
  const at = utc ? Date.UTC(year!, month! - 1, day!, hour, minute, Math.floor(second)) : new Date(year!, month! - 1, day!, hour, minute, Math.floor(second)).getTime();
  return at / 1000 + (second % 1);
}

const DATE = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]+(.*))?$/;
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/i;
const AGO = /^-\s*(\d+(?:\.\d+)?)\s*(s|m|min|h|d)(?:in)?$/;
const SECONDS: Record<string, number> = { s: 1, m: 60, min: 60, h: 3600, d: 86400 };

function clockOf(text: string): { parts: number[]; width: number; zone: string } | null {
  const found = CLOCK.exec(text.trim());
  if (found === null) return null;
  const [, hour, minute, second, part, zone = ''] = found;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second ?? 0) > 59) return null;
  const parts = [Number(hour), Number(minute), Number(second ?? 0) + (part === undefined ? 0 : Number(`0.${part}`))];
  return { parts, width: second === undefined ? 60 : part === undefined ? 1 : 10 ** -part.length, zone: zone.toUpperCase() };
}

// How many seconds "+02:00" is ahead of UTC.
function aheadOf(zone: string): number {
  const found = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  return found === null ? 0 : (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 3600 + Number(found[3]) * 60);
}

// "12:00:00" is the latest one that is not in the future, "2026-11-30 12:00" that minute, "-10m" ten minutes ago. Null if
// the text is no time.
export function momentOf(text: string, now: number, utc: boolean): Moment | null {
  const typed = text.trim();
  const ago = AGO.exec(typed);
  if (ago !== null) return { from: now - Number(ago[1]) * SECONDS[ago[2]!]!, width: 1 };
  if (/^\d{9,11}(\.\d+)?$/.test(typed)) return { from: Number(typed), width: typed.includes('.') ? 1e-3 : 1 };
  const date = DATE.exec(typed);
  const clock = clockOf(date === null ? typed : date[4] ?? '00:00');
  if (clock === null) return null;
  const zoned = clock.zone !== '';
  const at = (day: number[]) => epoch(utc || zoned, day, clock.parts) - aheadOf(clock.zone);
  if (date !== null) {
    const day = [Number(date[1]), Number(date[2]), Number(date[3])];
    if (day[1]! < 1 || day[1]! > 12 || day[2]! < 1 || day[2]! > 31) return null;
    return { from: at(day), width: date[4] === undefined ? 86_400 : clock.width };
  }
  const dayOf = (seconds: number) => {
    const moment = new Date((seconds + (zoned ? aheadOf(clock.zone) : 0)) * 1000);
    return utc || zoned ? [moment.getUTCFullYear(), moment.getUTCMonth() + 1, moment.getUTCDate()] : [moment.getFullYear(), moment.getMonth() + 1, moment.getDate()];
  };
  const today = at(dayOf(now));
  return { from: today <= now + 5 ? today : at(dayOf(now - 86_400)), width: clock.width };
}
