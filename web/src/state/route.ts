// Which page is shown, with which parameters. The address holds both.
import { signal } from '@preact/signals';

export interface Route { page: string; parameters: URLSearchParams }

export function routeOf(hash: string): Route {
  const [page = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return { page, parameters: new URLSearchParams(query) };
}

export const route = signal<Route>({ page: '', parameters: new URLSearchParams() });

export function readRoute(): void {
  route.value = routeOf(location.hash);
}
