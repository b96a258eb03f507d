// Generated from the OpenAPI document by `tools/web types`. Do not edit.

export interface paths {
    "/api/ui/v1/agents/{agent}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One agent, with its latest values */
        get: operations["getAgent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Alerts that are firing or pending, and what suppresses them */
        get: operations["getAlerts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/alerts/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Past alerts, and the results of their notifications */
        get: operations["getAlertHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Changes, logins and refusals */
        get: operations["getAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All documents, and the revision that each agent runs */
        get: operations["getConfig"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/config/document": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A document as it is stored */
        get: operations["getDocument"];
        /** Create, replace or delete a document if its version is still `base` */
        put: operations["putDocument"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/config/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The effective configuration of an agent, with the origin of every value */
        get: operations["explainConfig"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/config/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The recorded versions of a document, and others that etcd still has */
        get: operations["getDocumentHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/config/override": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Override settings of an agent, a group or all agents for a limited time */
        post: operations["setOverride"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/config/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Which agents a change to a document would affect, and how, without storing it */
        post: operations["previewDocument"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/config/schema": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The JSON Schema of a document */
        get: operations["getConfigSchema"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/config/validate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Check a document without storing it */
        post: operations["validateDocument"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/fleet": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All agents, with the last five minutes of their main figures */
        get: operations["getFleet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/ledger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What became of every batch: one row for each run of an agent, as in `monitor-analysis ledger --format json` */
        get: operations["getLedger"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/ledger/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What became of every batch of one run of an agent, as ranges of sequences */
        get: operations["getLedgerRun"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The metric log: its partitions, and the positions of its consumer groups */
        get: operations["getLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/log/lag": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far the readers of the metric log were behind, over time. The program keeps an hour in steps of 10 s and a day in steps of 120 s, in memory */
        get: operations["getLag"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Log in: sets the cookie of a session */
        post: operations["logIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End the session of the request's cookie, and its event streams */
        post: operations["logOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/message": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One record of the log, with all of its headers and its batch */
        get: operations["getMessage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/message/value": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The bytes of one record's value, as they are stored */
        get: operations["getMessageValue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Records of the log. A search examines at most some thousand records and returns a cursor with which it continues */
        get: operations["getMessages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This description */
        get: operations["getOpenApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/plugins": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Plugins, as agents report them */
        get: operations["getPlugins"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/prometheus": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The latest values in Prometheus' text format, named by OpenTelemetry's mapping, with the labels agent and host; and the time each agent was last seen */
        get: operations["scrape"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/query/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Whether a text is a query in PromQL, without evaluating it */
        post: operations["checkQuery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/query/words": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The functions and aggregations of queries, for completion */
        get: operations["listQueryWords"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/range": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Values of agents over a range of time, from the history */
        get: operations["getRange"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/rollouts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The last rollout of each group: its steps, agents and judgements */
        get: operations["getRollouts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/rollouts/operate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Pause, resume or abort the rollout of a group; a controller or a command carries it out */
        post: operations["operateRollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/rules/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Check a file of rules without storing it */
        post: operations["checkRules"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/rules/document": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Create, replace or delete a file of rules in the configuration if its version is still `base` */
        put: operations["putRules"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/rules/file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One file of rules with its text */
        get: operations["getRuleFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/rules/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The files of rules: those of --rules, and those in the configuration */
        get: operations["getRuleFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/rules/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What the alerts of a file would have done */
        post: operations["replayRules"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The series of an agent that the history holds */
        get: operations["getSeries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is logged in */
        get: operations["getSession"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/silences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Silences, also those that have ended */
        get: operations["getSilences"];
        put?: never;
        /** Create or change a silence */
        post: operations["setSilence"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/silences/expire": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a silence now */
        post: operations["expireSilence"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The state of the server: its log, history and configuration */
        get: operations["getStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ui/v1/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Server-sent events with JSON data: fleet (FleetEvent), tick (TickEvent, for topics agent:NAME), log (LogEvent) and config (ConfigEvent). `alive` comes first, and whenever nothing else happens. After `reset`, events were missed: load everything again. With Last-Event-ID, the stream resumes after that event. */
        get: operations["followEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Agent: {
            /** @description the agent's id */
            agent: string;
            /** @description seconds that its clock is ahead, 0 if within tolerance; its times are corrected by it */
            clock_error: number;
            /** @description CPU and memory (0 to 1), disk read, disk write, network in, network out (By/s) */
            figures: (number | null)[];
            /**
             * @description spooling: alive, but its newest batches wait in its spool. silent: alive, but configured to collect nothing. stopped: it ended cleanly. unknown: no server writes to the log, so nothing can arrive. gone: nothing arrived for 30 s.
             * @enum {string}
             */
            health: "alive" | "late" | "spooling" | "silent" | "stopped" | "unknown" | "gone";
            host: string;
            /** @description seconds between its ticks */
            interval: number | null;
            /** @description from its configuration; they appear on each of its series */
            labels: {
                [key: string]: string;
            };
            /** @description a second host that sends under the same id; empty: none */
            other_host: string;
            /** @description the last five minutes. In an event: the steps at the end that changed since the event before. */
            past: {
                /** @description the start of the last step */
                end: number | null;
                /** @description as in `figures`: averages, null where no value exists */
                figures: (number | null)[][];
                /** @description seconds */
                step: number;
            };
            /** @description what it reports as wrong with itself while it is alive: a rejected configuration, quarantined plugins, hung mounts */
            problems: string[];
            /** @description of the applied configuration */
            revision: number;
            /** @description when the log stored its newest record */
            seen: number | null;
            /** @description its newest tick */
            tick: number | null;
            /** @description how many of its series are outside of their extremes of the last day, 3 days and week. null: none has a score */
            unusual: {
                /** @description that have a score: those with a day of data */
                series: number;
                /** @description unusual / series, 0 to 1 */
                share: number;
                /** @description of these, those that are unusual now */
                unusual: number;
            } | null;
            /** @description of the agent's program */
            version: string;
            /** @description batches that were not acknowledged when the newest one was sent */
            waiting: number;
            /** @description the reason for a health other than alive, for people */
            why: string;
        };
        ConfigEvent: {
            /** @description why it cannot be read; empty: it can */
            trouble: string;
        };
        Conflict: {
            /** @description null: it was deleted */
            current: {
                revision: number;
                tag: string;
                value: string;
            } | null;
            error: string;
        };
        Error: {
            /** @description what is wrong, for people */
            error: string;
        };
        FleetEvent: {
            /** @description the agents that changed */
            agents: components["schemas"]["Agent"][];
            /** @description agents that are no longer known */
            forgotten: string[];
            now: number;
        };
        Invalid: {
            error: string;
            problems: components["schemas"]["Problem"][];
        };
        InvalidRules: {
            error: string;
            problems: components["schemas"]["RuleProblem"][];
        };
        LogEvent: {
            /** @description start of the trouble */
            since: number | null;
            /** @description empty: the log can be read again */
            trouble: string;
        };
        Message: {
            agent?: string;
            /** @description as they are stored, also those of a name that came before */
            all_headers?: {
                /** @description of the value */
                bytes: number;
                name: string;
                /** @description false: the value is not text, and is here in hex */
                text: boolean;
                value: string;
            }[];
            /** @description the decoded batch, as docs/payload.md describes it */
            batch?: Record<string, never>;
            bytes: number;
            /** @description why the record cannot be decoded */
            error?: string;
            /** @description by the agent's clock */
            first_tick?: number;
            /** @description values that are not text are in hex */
            headers: {
                [key: string]: string;
            };
            host?: string;
            key: string;
            /** @description by the agent's clock */
            last_tick?: number;
            offset: number;
            partition: number;
            points?: number;
            sequence?: number;
            ticks?: number;
            /** @description by the log's clock */
            time: number;
            /** @description the batch is omitted because its JSON is too large */
            too_large?: boolean;
        };
        Problem: {
            got: string;
            /** @description the setting */
            key: string;
            /** @description what would be accepted */
            known: string;
            /** @description 0: unknown */
            line: number;
            message: string;
            /** @description the document, where several are checked together */
            path: string;
            /** @description the whole problem in one line, for people */
            text: string;
            /** @description the document is valid nevertheless */
            warning: boolean;
        };
        PrometheusError: {
            /** @description what is wrong, for people */
            error: string;
            /** @enum {string} */
            errorType: "bad_data" | "execution" | "timeout" | "canceled" | "unavailable" | "not_found" | "internal";
            /** @enum {string} */
            status: "error";
        };
        RuleProblem: {
            column: number;
            line: number;
            text: string;
            /** @description the file is valid nevertheless */
            warning: boolean;
        };
        Series: {
            agent: string;
            /** @description for a resolution other than full */
            avg?: (number | null)[];
            /** @description values in each bucket */
            count?: number[];
            /** @enum {string} */
            kind: "gauge" | "counter";
            labels: {
                [key: string]: string;
            };
            /** @description for a resolution other than full */
            max?: (number | null)[];
            metric: string;
            /** @description for a resolution other than full */
            min?: (number | null)[];
            /** @description of a tick, or of the start of a bucket */
            times: number[];
            /** @description UCUM code */
            unit: string;
            /** @description for the resolution full */
            values?: (number | null)[];
        };
        TickEvent: {
            agent: string;
            /** @description stored long after its time */
            late: boolean;
            time: number;
            /** @description by series, such as system.disk.io.rate{disk.io.direction=read}; at most 5,000 */
            values: {
                [key: string]: number | null;
            };
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getAgent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The agent's id. */
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description the agent's id */
                        agent: string;
                        /** @description seconds that its clock is ahead, 0 if within tolerance; its times are corrected by it */
                        clock_error: number;
                        /** @description CPU and memory (0 to 1), disk read, disk write, network in, network out (By/s) */
                        figures: (number | null)[];
                        /**
                         * @description spooling: alive, but its newest batches wait in its spool. silent: alive, but configured to collect nothing. stopped: it ended cleanly. unknown: no server writes to the log, so nothing can arrive. gone: nothing arrived for 30 s.
                         * @enum {string}
                         */
                        health: "alive" | "late" | "spooling" | "silent" | "stopped" | "unknown" | "gone";
                        host: string;
                        /** @description its current run */
                        incarnation: string;
                        /** @description seconds between its ticks */
                        interval: number | null;
                        /** @description from its configuration; they appear on each of its series */
                        labels: {
                            [key: string]: string;
                        };
                        /** @description a second host that sends under the same id; empty: none */
                        other_host: string;
                        /** @description the last five minutes. In an event: the steps at the end that changed since the event before. */
                        past: {
                            /** @description the start of the last step */
                            end: number | null;
                            /** @description as in `figures`: averages, null where no value exists */
                            figures: (number | null)[][];
                            /** @description seconds */
                            step: number;
                        };
                        /** @description what it reports as wrong with itself while it is alive: a rejected configuration, quarantined plugins, hung mounts */
                        problems: string[];
                        /** @description of the applied configuration */
                        revision: number;
                        /** @description when the log stored its newest record */
                        seen: number | null;
                        /** @description of its newest batch */
                        sequence: number;
                        /** @description its newest tick */
                        tick: number | null;
                        /** @description how many of its series are outside of their extremes of the last day, 3 days and week. null: none has a score */
                        unusual: {
                            /** @description that have a score: those with a day of data */
                            series: number;
                            /** @description unusual / series, 0 to 1 */
                            share: number;
                            /** @description of these, those that are unusual now */
                            unusual: number;
                        } | null;
                        /** @description its series that are unusual now, the highest score first; at most 100 */
                        unusual_series: {
                            labels: {
                                [key: string]: string;
                            };
                            metric: string;
                            /** @description 0.08 to 1 */
                            score: number;
                            /** @description the end of the minute that it is of */
                            time: number;
                        }[];
                        /** @description the latest value of each series */
                        values: {
                            /** @enum {string} */
                            kind: "gauge" | "counter";
                            labels: {
                                [key: string]: string;
                            };
                            metric: string;
                            time: number | null;
                            /** @description UCUM code */
                            unit: string;
                            value: number | null;
                        }[];
                        /** @description of the agent's program */
                        version: string;
                        /** @description batches that were not acknowledged when the newest one was sent */
                        waiting: number;
                        /** @description the reason for a health other than alive, for people */
                        why: string;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description No agent with this id is known. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getAlerts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description as in `monitor-analysis alert list --format json` */
                        alerts: Record<string, never>[];
                        receivers: {
                            integration: string;
                            receiver: string;
                            /** @description why the last attempt failed, or empty */
                            trouble: string;
                            /** @description notifications */
                            waiting: number;
                        }[];
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getAlertHistory: {
        parameters: {
            query?: {
                /** @description The oldest end of an alert. Unix seconds, a time such as 2026-11-22T12:00:00Z, or an age such as -10m. */
                from?: string;
                /** @description The most alerts to return. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description as in `monitor-analysis alert history --format json` */
                        alerts: Record<string, never>[];
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getAudit: {
        parameters: {
            query?: {
                /** @description The most events to return. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description newest first, since the start of the server */
                        events: {
                            address?: string;
                            after?: unknown;
                            before?: unknown;
                            /** @description how they proved it */
                            by?: string;
                            /** @description login, login.failed, logout, refused, config.change, user.added, ... */
                            event: string;
                            /** @description as claimed by the client or a proxy */
                            forwarded_for?: string;
                            /** @description what was changed */
                            object?: string;
                            /** @description of a refusal */
                            reason?: string;
                            role?: string;
                            /** @description RFC 3339 */
                            time: string;
                            /** @description the user or token */
                            who?: string;
                        }[];
                        /** @description null: events are not written to a file */
                        file: string | null;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getConfig: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        agents: {
                            agent: string;
                            /** @description the applied revision */
                            applied: number;
                            /** @description why it rejected the wanted revision */
                            error: string | null;
                            groups: string[] | null;
                            /** @description of the applied merged document */
                            hash: string | null;
                            host: string | null;
                            /** @description the revision that it rejected */
                            last_failed: number | null;
                            overrides: string[] | null;
                            /** @description when it last reported its status */
                            seen: number;
                            /** @enum {string} */
                            state: "applied" | "pending" | "failed" | "stopped" | "gone";
                            version: string | null;
                            /** @description the revision that should be applied */
                            wanted: number;
                            warning: string | null;
                        }[];
                        documents: {
                            bytes: number;
                            /** @description when an override ends */
                            expires: number | null;
                            key: string;
                            /** @enum {string} */
                            kind: "defaults" | "group" | "agent" | "override";
                            /** @description 0 if the store has no revisions */
                            revision: number;
                            /** @description identifies this version of the document */
                            tag: string;
                        }[];
                        /** @description a folder, not etcd */
                        files: boolean;
                        /** @description a stream that follows this event misses no change of the rest */
                        live_id: string;
                        /** @description address or folder of the configuration */
                        source: string;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getDocument: {
        parameters: {
            query: {
                /**
                 * @description /monitor/defaults, /monitor/groups/NAME or /monitor/config/AGENT.
                 * @example /monitor/defaults
                 */
                key: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        key: string;
                        /** @description the key in etcd, or the file */
                        place: string;
                        /** @description 0 if the store has no revisions */
                        revision: number;
                        /** @description identifies this version; send it as `base` with a change */
                        tag: string;
                        value: string;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The document does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    putDocument: {
        parameters: {
            query: {
                /**
                 * @description /monitor/defaults, /monitor/groups/NAME or /monitor/config/AGENT.
                 * @example /monitor/defaults
                 */
                key: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description the `tag` of the version that was edited; null: there was no document */
                    base: string | null;
                    /** @description why, for the history; at most 2,000 bytes */
                    message?: string;
                    /** @description the new text; if it is absent, the document is deleted */
                    value?: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        key: string;
                        revision: number;
                        /** @description null: deleted */
                        tag: string | null;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The document has changed; `current` is the stored version. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Conflict"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The document is not valid; nothing was stored. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invalid"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    explainConfig: {
        parameters: {
            query: {
                /** @description The agent's id. */
                agent: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        agent: string;
                        /** @description lowest first */
                        layers: {
                            /** @description the key in etcd, or the file */
                            key: string;
                            /** @description its key */
                            layer: string;
                            revision: number;
                        }[];
                        problems: components["schemas"]["Problem"][];
                        valid: boolean;
                        values: {
                            /** @description that key in etcd, or the file */
                            key: string | null;
                            /** @description the key of the layer that sets it; null: built in */
                            layer: string | null;
                            path: string;
                            revision: number;
                            value: unknown;
                        }[];
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getDocumentHistory: {
        parameters: {
            query: {
                /**
                 * @description /monitor/defaults, /monitor/groups/NAME or /monitor/config/AGENT.
                 * @example /monitor/defaults
                 */
                key: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description the last version is the first one ever */
                        complete: boolean;
                        /** @description false: the store keeps no old versions */
                        kept: boolean;
                        key: string;
                        /** @description newest first, at most 50 */
                        versions: {
                            /** @description the change deleted the document */
                            deleted: boolean;
                            /** @description when a later change noticed it, if it was not recorded */
                            found: number | null;
                            /** @description its author recorded it; false: it was made by other means, such as etcdctl */
                            recorded: boolean;
                            /** @description with files the number of the change; 0: unknown */
                            revision: number;
                            /** @description when it was made; without a record about when */
                            time: number | null;
                            /** @description the document after the change; null: it was deleted, or was too large to keep */
                            value: string | null;
                            /** @description who made it; null: unknown, or the caller may not change documents */
                            who: string | null;
                            /** @description as its author said */
                            why: string | null;
                        }[];
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    setOverride: {
        parameters: {
            query: {
                /**
                 * @description /monitor/overrides/agents/AGENT/NAME, /monitor/overrides/groups/GROUP/NAME or /monitor/overrides/all/NAME.
                 * @example /monitor/overrides/agents/agent-001/fast
                 */
                key: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description why, for the history */
                    message?: string;
                    /** @description for how long, up to 30 days */
                    seconds: number;
                    /** @description the settings, as the JSON of a document */
                    value: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        key: string;
                        revision: number;
                        tag: string;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The settings are not valid; nothing was stored. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invalid"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    previewDocument: {
        parameters: {
            query: {
                /**
                 * @description /monitor/defaults, /monitor/groups/NAME or /monitor/config/AGENT.
                 * @example /monitor/defaults
                 */
                key: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description the new text; if it is absent, the document is deleted */
                    value?: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description agents whose effective values change */
                        affected: number;
                        /** @description all agents */
                        agents: number;
                        /** @description agents that would reject their configuration */
                        refusing: number;
                        /** @description the first 200 of the agents that are affected or would reject it */
                        rows: {
                            agent: string;
                            /** @description of its effective values; null: it has no such value */
                            changes: {
                                after: unknown;
                                before: unknown;
                                /** @description JSON pointer */
                                path: string;
                            }[];
                            /** @description why it would reject its configuration */
                            problems: string[];
                            /** @enum {string} */
                            state: "applied" | "pending" | "failed" | "stopped" | "gone";
                        }[];
                        /** @description agents that have the document among their layers */
                        uses: number;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getConfigSchema: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    validateDocument: {
        parameters: {
            query: {
                /**
                 * @description /monitor/defaults, /monitor/groups/NAME or /monitor/config/AGENT.
                 * @example /monitor/defaults
                 */
                key: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        problems: components["schemas"]["Problem"][];
                        valid: boolean;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getFleet: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        agents: components["schemas"]["Agent"][];
                        /** @description a stream that follows this event misses nothing */
                        live_id: string;
                        now: number;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getLedger: {
        parameters: {
            query?: {
                /** @description Only agents that match this shell pattern. */
                agent?: string;
                /**
                 * @description How long a gap may stay open before its batches count as missing. A duration such as 500ms, 60s or 2h.
                 * @example 60s
                 */
                missing_after?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        incarnations: {
                            agent: string;
                            batches_stored: number;
                            /** @description the run ended in order; null: it runs, or its end is unknown */
                            clean: boolean | null;
                            /** @description another run of the same id overlaps with this one */
                            conflict: boolean;
                            conflict_examples: {
                                first_offset: number | null;
                                /** @enum {string} */
                                kind: "content" | "implausible";
                                offset: number;
                                partition: number;
                                sequence: number;
                                /** @description RFC 3339 */
                                time: string | null;
                                why: string;
                            }[];
                            /** @description batches with a sequence that is already stored with other content */
                            conflicts: number;
                            dropped: {
                                batches: number;
                                /** @description RFC 3339; of the lost ticks, as far as it is known */
                                first_time: string | null;
                                /** @description RFC 3339 */
                                last_time: string | null;
                                /** @description that dropped them */
                                plugin?: string;
                                points: number;
                                reason: string;
                                stage: string;
                                ticks: number;
                                /** @description only their number is known, not which ones and of which run: they are in no sum */
                                unplaced?: boolean;
                            }[];
                            /** @description batches stored more than once */
                            duplicates: number;
                            /** @description sequences that went to another metric log */
                            elsewhere: number[][];
                            /**
                             * @description running: a record arrived within 30 s. stopped: it ended cleanly. unclean: the next run reports that it was killed.
                             * @enum {string}
                             */
                            end: "unknown" | "running" | "stopped" | "unclean";
                            /** @description sequences that the log's retention removed before they were read */
                            expired: number[][];
                            first_sequence: number;
                            /** @description RFC 3339 */
                            first_time: string | null;
                            host: string;
                            /** @description one run of the agent */
                            incarnation: string;
                            last_sequence: number;
                            /** @description RFC 3339 */
                            last_time: string | null;
                            /** @description ticks stored long after their time */
                            late: number;
                            /** @description sequences that are neither stored nor explained: [first, last] each */
                            missing: number[][];
                            other_logs: string[];
                            /** @description batches are stored above the sequence at which the run ended */
                            outlived_end: boolean;
                            points_made: number;
                            points_stored: number;
                            /** @description what became of everything that the run made; the parts add up to `made` */
                            sums: {
                                /** @description with a reason */
                                dropped: {
                                    batches: number;
                                    points: number;
                                };
                                /** @description in another metric log */
                                elsewhere: {
                                    batches: number;
                                    points: number;
                                };
                                /** @description points of batches with different outcomes are known only together */
                                estimated: boolean;
                                /** @description removed by the log's retention before they were read */
                                expired: {
                                    batches: number;
                                    points: number;
                                };
                                /** @description batches up to the highest sequence that is known; points until the newest stored batch was closed, and those that are known to be dropped later */
                                made: {
                                    batches: number;
                                    points: number;
                                };
                                /** @description neither stored nor explained */
                                missing: {
                                    batches: number;
                                    points: number;
                                };
                                /** @description in the log */
                                stored: {
                                    batches: number;
                                    points: number;
                                };
                                /** @description before the part of the log that was read */
                                unread: {
                                    batches: number;
                                    points: number;
                                };
                                /** @description expected to arrive */
                                waiting: {
                                    batches: number;
                                    points: number;
                                };
                            };
                            ticks_due: number;
                            ticks_missed: number;
                            ticks_stored: number;
                            /** @description batches after the last stored one may have existed */
                            unknown_tail: boolean;
                            /** @description sequences in the part of the log before the one that was read */
                            unread: number[][];
                            /** @description sequences that are expected to arrive */
                            waiting: number[][];
                        }[];
                        /** @description records deleted from the log before they were read */
                        lost: number;
                        /** @description records that could not be decoded */
                        skipped: number;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getLedgerRun: {
        parameters: {
            query: {
                /** @description The agent's id. */
                agent: string;
                /** @description The run, as `/ledger` names it. */
                incarnation: string;
                /**
                 * @description How long a gap may stay open before its batches count as missing. A duration such as 500ms, 60s or 2h.
                 * @example 60s
                 */
                missing_after?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description what was lost before it was in a batch; the newest 16 of each kind, of which the first may be the sum of older ones */
                        losses: {
                            /** @description RFC 3339; of the lost ticks */
                            first_time: string | null;
                            /** @description RFC 3339 */
                            last_time: string | null;
                            /** @description that dropped them, or empty */
                            plugin: string;
                            points: number;
                            reason: string;
                            stage: string;
                            ticks: number;
                        }[];
                        /** @description ranges that are left out */
                        older: number;
                        /** @description what became of the run's batches, in the order of their sequences; at most the newest 500 */
                        ranges: {
                            /** @description fewer than sequences if stored ones are within a range of drops */
                            batches: number;
                            /** @description sequence */
                            first: number;
                            /** @description RFC 3339; of the lost ticks */
                            first_time: string | null;
                            /** @enum {string} */
                            kind: "stored" | "dropped" | "waiting" | "missing" | "elsewhere" | "expired" | "unread";
                            /** @description sequence */
                            last: number;
                            /** @description RFC 3339 */
                            last_time: string | null;
                            /** @description null: unknown */
                            points: number | null;
                            /** @description why they were dropped; else empty */
                            reason: string;
                            /** @description RFC 3339, by the log's clock: since when they are missing */
                            since: string | null;
                            /** @description where they were dropped; else empty */
                            stage: string;
                        }[];
                        run: {
                            agent: string;
                            batches_stored: number;
                            /** @description the run ended in order; null: it runs, or its end is unknown */
                            clean: boolean | null;
                            /** @description another run of the same id overlaps with this one */
                            conflict: boolean;
                            conflict_examples: {
                                first_offset: number | null;
                                /** @enum {string} */
                                kind: "content" | "implausible";
                                offset: number;
                                partition: number;
                                sequence: number;
                                /** @description RFC 3339 */
                                time: string | null;
                                why: string;
                            }[];
                            /** @description batches with a sequence that is already stored with other content */
                            conflicts: number;
                            dropped: {
                                batches: number;
                                /** @description RFC 3339; of the lost ticks, as far as it is known */
                                first_time: string | null;
                                /** @description RFC 3339 */
                                last_time: string | null;
                                /** @description that dropped them */
                                plugin?: string;
                                points: number;
                                reason: string;
                                stage: string;
                                ticks: number;
                                /** @description only their number is known, not which ones and of which run: they are in no sum */
                                unplaced?: boolean;
                            }[];
                            /** @description batches stored more than once */
                            duplicates: number;
                            /** @description sequences that went to another metric log */
                            elsewhere: number[][];
                            /**
                             * @description running: a record arrived within 30 s. stopped: it ended cleanly. unclean: the next run reports that it was killed.
                             * @enum {string}
                             */
                            end: "unknown" | "running" | "stopped" | "unclean";
                            /** @description sequences that the log's retention removed before they were read */
                            expired: number[][];
                            first_sequence: number;
                            /** @description RFC 3339 */
                            first_time: string | null;
                            host: string;
                            /** @description one run of the agent */
                            incarnation: string;
                            last_sequence: number;
                            /** @description RFC 3339 */
                            last_time: string | null;
                            /** @description ticks stored long after their time */
                            late: number;
                            /** @description sequences that are neither stored nor explained: [first, last] each */
                            missing: number[][];
                            other_logs: string[];
                            /** @description batches are stored above the sequence at which the run ended */
                            outlived_end: boolean;
                            points_made: number;
                            points_stored: number;
                            /** @description what became of everything that the run made; the parts add up to `made` */
                            sums: {
                                /** @description with a reason */
                                dropped: {
                                    batches: number;
                                    points: number;
                                };
                                /** @description in another metric log */
                                elsewhere: {
                                    batches: number;
                                    points: number;
                                };
                                /** @description points of batches with different outcomes are known only together */
                                estimated: boolean;
                                /** @description removed by the log's retention before they were read */
                                expired: {
                                    batches: number;
                                    points: number;
                                };
                                /** @description batches up to the highest sequence that is known; points until the newest stored batch was closed, and those that are known to be dropped later */
                                made: {
                                    batches: number;
                                    points: number;
                                };
                                /** @description neither stored nor explained */
                                missing: {
                                    batches: number;
                                    points: number;
                                };
                                /** @description in the log */
                                stored: {
                                    batches: number;
                                    points: number;
                                };
                                /** @description before the part of the log that was read */
                                unread: {
                                    batches: number;
                                    points: number;
                                };
                                /** @description expected to arrive */
                                waiting: {
                                    batches: number;
                                    points: number;
                                };
                            };
                            ticks_due: number;
                            ticks_missed: number;
                            ticks_stored: number;
                            /** @description batches after the last stored one may have existed */
                            unknown_tail: boolean;
                            /** @description sequences in the part of the log before the one that was read */
                            unread: number[][];
                            /** @description sequences that are expected to arrive */
                            waiting: number[][];
                        };
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The ledger has no such run. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getLog: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description how far each consumer group has read */
                        groups: {
                            group: string;
                            /** @description records between it and the end */
                            lag: number;
                            /** @description the offset to read next */
                            next: number;
                            partition: number;
                        }[];
                        /** @description why the groups are unknown; empty: they are known */
                        groups_error: string;
                        /** @description its address */
                        log: string;
                        partitions: {
                            /** @description offset of the oldest record */
                            begin: number;
                            /** @description on disk, without pages that are free; null: the log does not tell */
                            bytes: number | null;
                            /** @description offset after the newest record */
                            end: number;
                            /** @description of a record's key and value, before compression, among those read since the start of the page's server; null: none was read */
                            mean_bytes: number | null;
                            /** @description when the log stored the newest record; null: unknown */
                            newest: number | null;
                            /** @description when the log stored the oldest record; null: unknown */
                            oldest: number | null;
                            partition: number;
                            records: number;
                        }[];
                        /** @description how far this page's own reader has read, in partitions of which it has read a record since the start of the page's server */
                        reader: {
                            /** @description records between it and the end */
                            lag: number;
                            /** @description the offset to read next */
                            next: number;
                            partition: number;
                        }[];
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getLag: {
        parameters: {
            query?: {
                /** @description How far back, at most 24h. A duration such as 500ms, 60s or 2h. */
                span?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description the same of each consumer group, in all partitions together */
                        groups: {
                            group: string;
                            lag: (number | null)[];
                        }[];
                        /** @description for how many seconds samples are kept, at most since the start of the program */
                        kept: number;
                        /** @description records that this page's own reader had not read */
                        reader: (number | null)[];
                        /** @description the oldest sample that is kept; null: there is none yet */
                        since: number | null;
                        /** @description seconds between samples; in steps of 120 s, each lag is the largest in its step */
                        step: number;
                        /** @description the sum of the ends of all partitions at these times */
                        stored: number[];
                        times: number[];
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    logIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    password: string;
                    user: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        role: "viewer" | "editor" | "admin";
                        user: string;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The user or the password is wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many logins failed for this address or this user. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    logOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getMessage: {
        parameters: {
            query: {
                /** @example 1 */
                offset: number;
                /** @example 0 */
                partition: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The log does not hold this record. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getMessageValue: {
        parameters: {
            query: {
                /** @description At most so many bytes; all by default. */
                bytes?: number;
                /** @description The first byte. */
                from?: number;
                /** @example 1 */
                offset: number;
                /** @example 0 */
                partition: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The log does not hold this record. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getMessages: {
        parameters: {
            query?: {
                /** @description Only records of agents that match this shell pattern. */
                agent?: string;
                /** @description Whether the messages contain their batches. */
                content?: "batch" | "summary";
                /** @description The `cursor` of the previous result, to continue from there in the same order. */
                cursor?: string;
                /** @description Only records that can be decoded, or only those that cannot. */
                kind?: "all" | "decoded" | "corrupt";
                /**
                 * @description How many messages to return.
                 * @example 20
                 */
                limit?: number;
                /** @description Only records with a series that matches: a plain name selects a family, otherwise a shell pattern. */
                metric?: string;
                /** @description Start at this offset and go towards newer records. Requires `partition`. Without `order=oldest`, the first `limit` records from there on, newest first. */
                offset?: number;
                /** @description In which direction to search. */
                order?: "newest" | "oldest";
                /**
                 * @description Only this partition; all by default.
                 * @example 0
                 */
                partition?: number;
                /** @description Not older, by the log's clock. Unix seconds, a time such as 2026-11-22T12:00:00Z, or an age such as -10m. */
                since?: string;
                /** @description Only records with a tick that is not older, by the agent's clock. Unix seconds, a time such as 2026-11-22T12:00:00Z, or an age such as -10m. */
                tick_since?: string;
                /** @description Only records with a tick that is older than this, by the agent's clock. Unix seconds, a time such as 2026-11-22T12:00:00Z, or an age such as -10m. */
                tick_until?: string;
                /** @description Older than this, by the log's clock. Unix seconds, a time such as 2026-11-22T12:00:00Z, or an age such as -10m. */
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description pass it on to continue. Newest first: null if the search is complete. Oldest first: also continues with records that are yet to come */
                        cursor: string | null;
                        /** @description newest first, without a cursor: pass it on with order=oldest for the records after this search's range; otherwise null */
                        follow: string | null;
                        /** @description records of the searched range that were not examined yet */
                        left: number;
                        /** @description records that were examined for this result */
                        looked_at: number;
                        messages: components["schemas"]["Message"][];
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getOpenApi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getPlugins: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description names of built-in plugins */
                        known: string[];
                        /** @description of agents that are alive; those of an agent in the order of its chain */
                        plugins: {
                            agent: string;
                            /** @description of the agent's program */
                            agent_version: string;
                            host: string;
                            /** @description as in the agent's status document */
                            plugin: Record<string, never>;
                        }[];
                        /** @description agents that reject a configuration because of a plugin, and keep the one before */
                        refused: {
                            agent: string;
                            host: string;
                            /** @description names the plugin */
                            reason: string;
                        }[];
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    scrape: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    checkQuery: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description beginning with line and column, "1:7: ..."; empty: valid */
                        error: string;
                        valid: boolean;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    listQueryWords: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        aggregations: {
                            /** @description as topk(3, ...) */
                            has_parameter: boolean;
                            name: string;
                        }[];
                        functions: {
                            name: string;
                            /** @description it tells what is known of agents; its first argument is a regular expression of their ids */
                            of_agents: boolean;
                            /** @description what it takes: "(range vector, scalar?)"; ? is optional, ... may repeat or be absent */
                            signature: string;
                        }[];
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getRange: {
        parameters: {
            query: {
                /** @description The agents' ids. */
                agent: string[];
                /** @description Start of the range; 15 minutes before `to` by default. Unix seconds, a time such as 2026-11-22T12:00:00Z, or an age such as -10m. */
                from?: string;
                /**
                 * @description A plain name selects a family (cpu is system.cpu and everything below it). A shell pattern must match a whole name or a whole name{label=value}.
                 * @example system.cpu.*
                 */
                metric?: string;
                /**
                 * @description How many points a series should have at the resolution auto.
                 * @example 300
                 */
                points?: number;
                /** @description auto: the finest one that yields about `points` and reaches back to `from`. */
                resolution?: "auto" | "full" | "1s" | "10s" | "1m" | "1h";
                /** @description End of the range, exclusive; now by default. Unix seconds, a time such as 2026-11-22T12:00:00Z, or an age such as -10m. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        from: number;
                        /** @description the result contains every event up to this one */
                        live_id: string;
                        /** @description by name: the metrics of the range that a collector declares */
                        metrics: {
                            [key: string]: {
                                description: string;
                                title: string;
                            };
                        };
                        /** @enum {string} */
                        resolution: "full" | "1s" | "10s" | "1m" | "1h";
                        series: components["schemas"]["Series"][];
                        to: number;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The history does not exist yet. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The result has more than 2,500,000 points. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getRollouts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description states that cannot be read */
                        faults: {
                            error: string;
                            key: string;
                        }[];
                        /** @description the last rollout of each group that had one */
                        rollouts: {
                            author: string;
                            /** @description identifies the document's content */
                            content: string;
                            /** @description when a program that drives it last looked */
                            counts: {
                                /** @description of the changed ones, as all below */
                                applied: number;
                                /** @description agents of the group that do not live */
                                away: number;
                                /** @description that are to run the new document now */
                                changed: number;
                                /** @description the sum of the next four */
                                failed: number;
                                gone: number;
                                /** @description agents of the group that live */
                                members: number;
                                pending: number;
                                quarantined: number;
                                refused: number;
                                restarted: number;
                            };
                            /** @description the new document of the group */
                            document: string;
                            /** @description the program that drives it; null: none does */
                            driver: string | null;
                            ended: number | null;
                            /** @description when its changes end if nobody continues it */
                            ends_by_itself: number | null;
                            /** @description oldest first, at most 60 */
                            events: {
                                event: string;
                                text: string;
                                time: number;
                            }[];
                            group: string;
                            id: string;
                            /** @description when this step is judged; null: not all have applied it */
                            judged_at: number | null;
                            message: string;
                            /** @description it is done, failed or aborted */
                            over: boolean;
                            /** @description earlier rollouts of the group, newest first */
                            past: {
                                author: string;
                                content: string;
                                ended: number | null;
                                id: string;
                                message: string;
                                reason: string;
                                started: number;
                                /** @enum {string} */
                                state: "running" | "paused" | "undoing" | "finishing" | "done" | "failed" | "aborted";
                            }[];
                            /** @description why it is paused, undone, or has ended */
                            reason: string;
                            started: number;
                            /** @enum {string} */
                            state: "running" | "paused" | "undoing" | "finishing" | "done" | "failed" | "aborted";
                            /** @description from 0 */
                            step: number;
                            /** @description shares or numbers of agents; the first one is the canary */
                            steps: string[];
                            /** @description the state in words */
                            summary: string;
                            /** @description the first ten of the agents that failed */
                            troubles: {
                                agent: string;
                                why: string;
                            }[];
                            /** @description of this step */
                            verdicts: {
                                /** @description of the same agents, before the rollout */
                                before: number | null;
                                /** @description its name, or its expression */
                                judgement: string;
                                /** @description the average of the changed agents */
                                now: number | null;
                                others_before: number | null;
                                /** @description the average of the unchanged agents */
                                others_now: number | null;
                                /** @enum {string} */
                                outcome: "good" | "bad" | "undecided";
                                why: string;
                            }[];
                        }[];
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    operateRollout: {
        parameters: {
            query: {
                /**
                 * @description The group.
                 * @example web
                 */
                group: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    action: "pause" | "resume" | "abort";
                    /** @description why */
                    message?: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description states that cannot be read */
                        faults: {
                            error: string;
                            key: string;
                        }[];
                        /** @description the last rollout of each group that had one */
                        rollouts: {
                            author: string;
                            /** @description identifies the document's content */
                            content: string;
                            /** @description when a program that drives it last looked */
                            counts: {
                                /** @description of the changed ones, as all below */
                                applied: number;
                                /** @description agents of the group that do not live */
                                away: number;
                                /** @description that are to run the new document now */
                                changed: number;
                                /** @description the sum of the next four */
                                failed: number;
                                gone: number;
                                /** @description agents of the group that live */
                                members: number;
                                pending: number;
                                quarantined: number;
                                refused: number;
                                restarted: number;
                            };
                            /** @description the new document of the group */
                            document: string;
                            /** @description the program that drives it; null: none does */
                            driver: string | null;
                            ended: number | null;
                            /** @description when its changes end if nobody continues it */
                            ends_by_itself: number | null;
                            /** @description oldest first, at most 60 */
                            events: {
                                event: string;
                                text: string;
                                time: number;
                            }[];
                            group: string;
                            id: string;
                            /** @description when this step is judged; null: not all have applied it */
                            judged_at: number | null;
                            message: string;
                            /** @description it is done, failed or aborted */
                            over: boolean;
                            /** @description earlier rollouts of the group, newest first */
                            past: {
                                author: string;
                                content: string;
                                ended: number | null;
                                id: string;
                                message: string;
                                reason: string;
                                started: number;
                                /** @enum {string} */
                                state: "running" | "paused" | "undoing" | "finishing" | "done" | "failed" | "aborted";
                            }[];
                            /** @description why it is paused, undone, or has ended */
                            reason: string;
                            started: number;
                            /** @enum {string} */
                            state: "running" | "paused" | "undoing" | "finishing" | "done" | "failed" | "aborted";
                            /** @description from 0 */
                            step: number;
                            /** @description shares or numbers of agents; the first one is the canary */
                            steps: string[];
                            /** @description the state in words */
                            summary: string;
                            /** @description the first ten of the agents that failed */
                            troubles: {
                                agent: string;
                                why: string;
                            }[];
                            /** @description of this step */
                            verdicts: {
                                /** @description of the same agents, before the rollout */
                                before: number | null;
                                /** @description its name, or its expression */
                                judgement: string;
                                /** @description the average of the changed agents */
                                now: number | null;
                                others_before: number | null;
                                /** @description the average of the unchanged agents */
                                others_now: number | null;
                                /** @enum {string} */
                                outcome: "good" | "bad" | "undecided";
                                why: string;
                            }[];
                        }[];
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The group has had no rollout. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The rollout is in a state in which this is not possible. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    checkRules: {
        parameters: {
            query?: {
                /** @description Also warn of rules that no series of the last hour fits. */
                compare?: "nothing" | "series";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description the rules were compared with the series of the last hour */
                        compared: boolean;
                        groups: {
                            /** @description empty: the default, 15s */
                            interval: string;
                            labels: {
                                [key: string]: string;
                            };
                            line: number;
                            name: string;
                            rules: {
                                annotations: {
                                    [key: string]: string;
                                };
                                column: number;
                                expr: string;
                                /** @description such as 5m; empty: none */
                                for: string;
                                keep_firing_for: string;
                                /** @enum {string} */
                                kind: "alert" | "record";
                                /** @description without those of its group */
                                labels: {
                                    [key: string]: string;
                                };
                                /** @description where the rule begins in the text */
                                line: number;
                                name: string;
                            }[];
                        }[];
                        problems: components["schemas"]["RuleProblem"][];
                        /** @description why they were not, or empty */
                        trouble: string;
                        valid: boolean;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    putRules: {
        parameters: {
            query: {
                /** @description Its name in the configuration. */
                name: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description the `tag` of the version that was edited; null: there was no file */
                    base: string | null;
                    /** @description the new text; if it is absent, the file is deleted */
                    value?: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        key: string;
                        revision: number;
                        /** @description null: deleted */
                        tag: string | null;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The file has changed; `current` is the stored version. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Conflict"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The file is not valid; nothing was stored. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvalidRules"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getRuleFile: {
        parameters: {
            query: {
                /** @description Its name in the list. */
                file: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description its name in the configuration; null: it is a file of --rules, which cannot be changed here */
                        document: string | null;
                        /** @description why this version is not in force */
                        fault: string | null;
                        /** @description as /api/v1/rules names it */
                        file: string;
                        /** @description the key in etcd, or the path */
                        place: string;
                        /** @description identifies this version; send it as `base` with a change */
                        tag: string | null;
                        text: string;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description There is no such file. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getRuleFiles: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description address or folder of the configuration */
                        configuration: string;
                        files: {
                            /** @description its name in the configuration; null: it is a file of --rules, which cannot be changed here */
                            document: string | null;
                            /** @description why this version is not in force */
                            fault: string | null;
                            /** @description as /api/v1/rules names it */
                            file: string;
                            /** @description a version of it is evaluated */
                            in_force: boolean;
                            /** @description the key in etcd, or the path */
                            place: string;
                            rules: number;
                            /** @description identifies this version; send it as `base` with a change */
                            tag: string | null;
                        }[];
                        /** @description why the configuration cannot be read; empty: it can */
                        trouble: string;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    replayRules: {
        parameters: {
            query?: {
                /** @description Only this alert. */
                alert?: string;
                /** @description The first moment. Unix seconds, a time such as 2026-11-22T12:00:00Z, or an age such as -10m. */
                from?: string;
                /** @description The last moment; now by default. Unix seconds, a time such as 2026-11-22T12:00:00Z, or an age such as -10m. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description the times in which alerts would have been active, the oldest first */
                        alerts: {
                            /** @description pending from then on */
                            active: number;
                            /** @description as they would have been sent */
                            annotations: {
                                [key: string]: string;
                            };
                            /** @description null: it was active at the end */
                            ended: number | null;
                            /** @description null: it never fired */
                            fired: number | null;
                            group: string;
                            labels: {
                                [key: string]: string;
                            };
                            rule: string;
                            /** @description of the expression, when the alert fired or became pending */
                            value: string;
                        }[];
                        /** @description of rules */
                        evaluations: number;
                        /** @description rules that could not be evaluated, and why */
                        failures: string[];
                        /** @description how often an alert would have fired */
                        fired: number;
                        from: number;
                        groups: {
                            file: string;
                            /** @description seconds */
                            interval: number;
                            name: string;
                            /** @description seconds between the evaluations that were made: a multiple of the interval, if there would have been too many */
                            step: number;
                        }[];
                        /** @description how far the history reaches, by resolution */
                        history: {
                            from: number;
                            /** @enum {string} */
                            resolution: "full" | "1s" | "10s" | "1m" | "1h";
                            to: number;
                        }[];
                        /** @description of the oldest entries that `alerts` would have */
                        left_out: number;
                        to: number;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The body is too large, or the replay exceeds a limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The file is not valid. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvalidRules"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getSeries: {
        parameters: {
            query: {
                /** @description The agent's id. */
                agent: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        agent: string;
                        /** @description how far the history reaches at each resolution */
                        extents: {
                            first: number;
                            last: number;
                            /** @enum {string} */
                            resolution: "full" | "1s" | "10s" | "1m" | "1h";
                        }[];
                        series: {
                            labels: {
                                [key: string]: string;
                            };
                            metric: string;
                            unit: string;
                        }[];
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The history does not exist yet. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /**
                         * @description what the request proves it by. open: this server needs no login for reading
                         * @enum {string}
                         */
                        by: "anyone" | "open" | "session" | "api-token" | "web-token" | "proxy";
                        /** @description for the header X-CSRF-Token of changes; null: none is needed */
                        csrf: string | null;
                        /** @description users can log in here */
                        logins: boolean;
                        /** @enum {string} */
                        role: "none" | "viewer" | "editor" | "admin";
                        /** @description null: nobody is logged in */
                        user: string | null;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getSilences: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        silences: {
                            author: string;
                            /** @description RFC 3339 */
                            createdAt: string;
                            /** @description RFC 3339 */
                            endsAt: string;
                            id: string;
                            /** @description such as agent=~"web-.*"; all must hold */
                            matchers: string[];
                            reason: string;
                            /** @description RFC 3339 */
                            startsAt: string;
                            /** @enum {string} */
                            state: "pending" | "active" | "expired";
                            /** @description RFC 3339 */
                            updatedAt: string;
                        }[];
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    setSilence: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description RFC 3339 */
                    endsAt: string;
                    /** @description of the silence to change; missing: a new one */
                    id?: string;
                    matchers: string[];
                    reason: string;
                    /** @description RFC 3339; missing: now */
                    startsAt?: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        author: string;
                        /** @description RFC 3339 */
                        createdAt: string;
                        /** @description RFC 3339 */
                        endsAt: string;
                        id: string;
                        /** @description such as agent=~"web-.*"; all must hold */
                        matchers: string[];
                        reason: string;
                        /** @description RFC 3339 */
                        startsAt: string;
                        /** @enum {string} */
                        state: "pending" | "active" | "expired";
                        /** @description RFC 3339 */
                        updatedAt: string;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description There is no such silence. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The silence has expired. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    expireSilence: {
        parameters: {
            query: {
                /** @description The silence's id. */
                id: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        author: string;
                        /** @description RFC 3339 */
                        createdAt: string;
                        /** @description RFC 3339 */
                        endsAt: string;
                        id: string;
                        /** @description such as agent=~"web-.*"; all must hold */
                        matchers: string[];
                        reason: string;
                        /** @description RFC 3339 */
                        startsAt: string;
                        /** @enum {string} */
                        state: "pending" | "active" | "expired";
                        /** @description RFC 3339 */
                        updatedAt: string;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description There is no such silence. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The silence has expired already. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    getStatus: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description how many are known */
                        agents: number;
                        config: {
                            /** @description whether the server accepts changes (with the token) */
                            editable: boolean;
                            /** @description a folder, not etcd */
                            files: boolean;
                            /** @description address or folder of the configuration */
                            source: string;
                            /** @description why the configuration cannot be read; empty: it can */
                            trouble: string;
                        };
                        history: {
                            /** @description start of the trouble */
                            since: number | null;
                            /** @description why the history cannot be written; empty: it can */
                            trouble: string;
                        };
                        log: {
                            /** @description everything stored before the start has been read */
                            caught_up: boolean;
                            /** @description records deleted from the log before they were read */
                            lost: number;
                            /** @description the log's address */
                            name: string;
                            /** @description when the log stored the newest record that was read */
                            newest: number | null;
                            /** @description start of the trouble */
                            since: number | null;
                            /** @description records that could not be decoded */
                            skipped: number;
                            /** @description why the log cannot be read; empty: it can */
                            trouble: string;
                        };
                        /** @description by the server's clock */
                        now: number;
                        /** @description whether a server writes to the log, judged by the heartbeats that servers leave in it */
                        servers: {
                            /** @description the newest heartbeat, by the log's clock */
                            last: number | null;
                            /**
                             * @description unknown: the log has no heartbeats, or was watched for less than 15 s. stopped: every server announced its end. away: no heartbeat for 15 s.
                             * @enum {string}
                             */
                            state: "unknown" | "writing" | "stopped" | "away";
                            /** @description why no agent's data arrives; empty: it does */
                            trouble: string;
                        };
                        /** @description all current problems, for people; empty: none */
                        trouble: string[];
                        /** @description of this program */
                        version: string;
                    };
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many wrong tokens came from this address. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    followEvents: {
        parameters: {
            query: {
                /** @description Resume after the event with this id. */
                after?: string;
                /** @description What to follow: fleet, log, config or agent:NAME. */
                topic: string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description A parameter is wrong; the error names it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller is not logged in, or the token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The caller's role does not suffice, the Host header does not name this server, or a page of another site asks for a change. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description This address has too many streams. Retry-After says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server is busy, or what it would read is unreachable. Retry-After says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
}
