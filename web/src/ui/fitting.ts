// The names that a field offers for what is typed: those that begin with it first.
const MOST = 12;

export function fitting(names: string[], typed: string): string[] {
  const text = typed.trim().toLowerCase();
  const place = (name: string) => name.toLowerCase().indexOf(text);
  return names.filter((one) => place(one) >= 0)
    .sort((a, b) => Number(place(a) > 0) - Number(place(b) > 0) || a.localeCompare(b, 'en', { numeric: true }))
    .slice(0, MOST);
}
