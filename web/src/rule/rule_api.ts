// The part of the API that reads, checks, tests and stores rules.
import { ask, type Body, type Get, type Result } from '../lib/api';
import { headersOf } from '../lib/token';

export type RuleFile = Get<'/api/ui/v1/rules/file'>;
export type FileRow = Get<'/api/ui/v1/rules/files'>['files'][number];
export type Checked = Result<'/api/ui/v1/rules/check', 'post'>;
export type Replay = Result<'/api/ui/v1/rules/replay', 'post'>;
export type CheckedRule = Checked['groups'][number]['rules'][number];
export type Problem = Checked['problems'][number];
export type Stored = Result<'/api/ui/v1/rules/document', 'put'>;
export type Change = Body<'/api/ui/v1/rules/document', 'put'>;

export const listFiles = () => ask<Get<'/api/ui/v1/rules/files'>>('/rules/files');
export const readFile = (file: string) => ask<RuleFile>('/rules/file', { file });
export const check = (text: string, series: boolean) => ask<Checked>('/rules/check', { compare: series ? 'series' : 'nothing' }, { method: 'POST', body: text });
export const replay = (text: string, alert: string, from: number, to: number, signal: AbortSignal) => (
  ask<Replay>('/rules/replay', { alert, from: from.toFixed(3), to: to.toFixed(3) }, { method: 'POST', body: text, signal }));
export const store = (name: string, change: Change, token: string) => (
  ask<Stored>('/rules/document', { name }, { method: 'PUT', headers: headersOf(token), body: JSON.stringify(change) }));
