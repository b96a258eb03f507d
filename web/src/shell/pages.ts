// The pages, and how the shell and they work together.
import type { ComponentType } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { IconName } from '../ui/icon';

export interface PageProps { parameters: URLSearchParams }

// What a page does with keys and with unsaved changes. It registers itself while it is shown.
export interface PageActions {
  key?(pressed: KeyboardEvent): boolean;  // true: the page has used the key
  unsaved?(): boolean;                    // true: leaving would lose changes
}

export interface PageEntry {
  name: string;
  title: string;
  key: string;  // after `g`
  of?: string;  // the page in the navigation that it belongs to; it has no place of its own there
  icon: IconName;
  load: () => Promise<{ default: ComponentType<PageProps> }>;
}

export const PAGES: PageEntry[] = [
  { name: 'overview', title: 'Home', key: 'o', icon: 'home', load: () => import('../home/home') },
  { name: 'agent', title: 'Hosts', key: 'a', icon: 'host', load: () => import('../host/host_page') },
  { name: 'alerts', title: 'Alerts', key: 'e', icon: 'alerts', load: () => import('../alerts/alerts_page') },
  { name: 'explore', title: 'Explore', key: 'x', icon: 'explore', load: () => import('../explore/explore_page') },
  { name: 'messages', title: 'Messages', key: 'm', icon: 'messages', load: () => import('../messages/messages_page') },
  { name: 'config', title: 'Configuration', key: 'c', icon: 'config', load: () => import('../config/config_page') },
  { name: 'ledger', title: 'Ledger', key: 'l', icon: 'ledger', load: () => import('../ledger/ledger_page') },
  { name: 'plugins', title: 'Plugins', key: 'p', icon: 'plugins', load: () => import('../plugins/plugins_page') },
];

// Pages that others lead to.
const INNER: PageEntry[] = [
  { name: 'rule', title: 'Rule', key: '', icon: 'alerts', of: 'alerts', load: () => import('../rule/rule_page') },
];

// Home, if there is no page of this name.
export function pageOf(name: string): PageEntry {
  return [...PAGES, ...INNER].find((one) => one.name === name) ?? PAGES[0]!;
}

// Calls `update` each time that a link or the browser's Back button has changed the address of a page that is shown.
// It does so while the page is rendered: an effect after the paint can follow the user's next key, and would undo it.
export function useNewParameters(parameters: URLSearchParams, update: (parameters: URLSearchParams) => void): void {
  const first = useRef(true);
  useLayoutEffect(() => {
    if (!first.current) update(parameters);
    first.current = false;
  }, [parameters]);
}

let actions: PageActions = {};

export function setActions(next: PageActions): () => void {
  actions = next;
  return () => { if (actions === next) actions = {}; };
}
export function currentActions(): PageActions {
  return actions;
}
