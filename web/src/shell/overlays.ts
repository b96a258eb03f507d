// Which dialogs of the shell are open.
import { signal } from '@preact/signals';

export const helpOpen = signal(false);
export const settingsOpen = signal(false);
export const paletteOpen = signal(false);
