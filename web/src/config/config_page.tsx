// The configuration: its layers as a tree, one document in a form or an editor, and the agents that run it.
import { useLayoutEffect, useMemo, useState } from 'preact/hooks';
import { ask } from '../lib/api';
import { go } from '../lib/page';
import { session } from '../lib/session';
import { stream } from '../lib/stream';
import { setActions, useNewParameters, type PageProps } from '../shell/pages';
import { Failed } from '../ui/states';
import { DocumentView, type How } from './document_view';
import { Fleet } from './fleet';
import { keyOf } from './layers';
import { ConfigModel } from './model';
import { Tree } from './tree';

const TOKEN = 'monitor-token';
const REFRESH = 10_000;  // milliseconds; changes come as events, times only so
const RETRY = 2000;

const howOf = (parameters: URLSearchParams): How => (parameters.get('view') === 'json' ? 'json' : 'form');
const addressed = (parameters: URLSearchParams) => parameters.get('key') ?? (parameters.get('agent') ? keyOf(parameters.get('agent')!) : '');

function address(key: string, how: How, step: 'push' | 'replace'): void {
  go('config', { ...(key === '' ? {} : { key }), ...(how === 'form' ? {} : { view: how }) }, step);
}

function useModel(parameters: URLSearchParams, how: { current: How }): ConfigModel {
  const model: ConfigModel = useMemo(() => new ConfigModel({
    ask, may: () => session.changes(), leave: (question) => window.confirm(question), now: () => Date.now(),
    opened: (key) => address(key, how.current, 'push'),
    follow: (liveId) => stream.follow(['config'], liveId, (name) => { if (name === 'config') void model.refresh(); }, () => void model.refresh()),
  }), []);
  useLayoutEffect(() => {
    model.token.value = sessionStorage.getItem(TOKEN) ?? '';
    const remember = model.token.subscribe((token) => sessionStorage.setItem(TOKEN, token));
    const again = session.changed.subscribe(() => { if (!session.locked) void model.check(); });  // a login while the text was edited
    model.clock.value = Date.now();
    const timer = window.setInterval(() => { model.clock.value = Date.now(); }, 1000);
    const refresh = window.setInterval(() => { if (!document.hidden && !session.locked) void model.refresh(); }, REFRESH);
    const retry = window.setInterval(() => { if (model.fault.value !== '' && !document.hidden && !session.locked) void model.refresh(); }, RETRY);
    model.start();
    void model.open(addressed(parameters), true);
    stream.attend();  // until there is something to follow
    const forget = setActions({
      unsaved: () => model.dirty.value,
      key(pressed) {
        if (!(pressed.ctrlKey || pressed.metaKey) || pressed.key !== 's') return false;
        pressed.preventDefault();
        void model.save();
        return true;
      },
    });
    return () => {
      remember();
      again();
      clearInterval(timer);
      clearInterval(refresh);
      clearInterval(retry);
      forget();
      model.close();
    };
  }, []);
  return model;
}

export default function ConfigPage({ parameters }: PageProps) {
  const [how, setHow] = useState<How>(howOf(parameters));
  const latest = useMemo(() => ({ current: how }), []);
  latest.current = how;
  const model = useModel(parameters, latest);
  useNewParameters(parameters, (next) => {
    setHow(howOf(next));
    const key = addressed(next);
    if (key !== model.key.value) void model.open(key, true);
  });
  const choose = (next: How) => {
    setHow(next);
    address(model.key.value, next, 'replace');
  };
  return (
    <section class="config">
      <h1>Configuration</h1>
      {model.fault.value !== '' && <Failed what="The configuration cannot be read" why={model.fault.value} retry={() => void model.refresh()} />}
      <div class="columns">
        <div class="side"><Tree model={model} /></div>
        <div class="config-main">{model.key.value === '' ? <Fleet model={model} /> : <DocumentView model={model} how={how} choose={choose} />}</div>
      </div>
    </section>
  );
}
