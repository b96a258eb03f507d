// Calls `call` once no call has come for `ms` milliseconds.
export function debounce(ms: number, call: () => void): () => void {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(call, ms);
  };
}
