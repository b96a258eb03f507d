// Files that tests import as text.
declare module '*?raw' {
  const text: string;
  export default text;
}

// Only tests read sources.
interface ImportMeta { glob(pattern: string, how: { query: '?raw'; import: 'default'; eager: true }): Record<string, string> }
