import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { sendJson } from './answer.ts';
import { JSON_BODY_BYTES_MAX, readJson } from './body.ts';
import { LINK_VERBS, type LinkChangeReport, type Links } from './link-protocol.ts';
import { EMPTY_QUERY, parse, TUNNELS_QUERY } from './schemas.ts';

interface LinkExchange {
  readonly links: Links;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: Readonly<Record<string, string>>;
}

const TEXT_MAX = 64;
/** As many as there may be tunnels. */
const LINKS_MAX = 4096;

/** What is not named here is a key of the configuration, which the daemon's reader judges. */
const LINK_SETTINGS = z.looseObject({
  name: z.string().min(1).max(TEXT_MAX),
  up: z.boolean().optional(),
  lladdr: z.string().min(1).max(TEXT_MAX).optional(),
});

/** The body of `POST /v1/links`. */
export const LINK_REQUEST = z.strictObject({
  verb: z.enum(LINK_VERBS),
  links: z.array(LINK_SETTINGS).min(1).max(LINKS_MAX),
});

export async function showLinks({ links, response, query }: LinkExchange): Promise<void> {
  const { dev } = parse(TUNNELS_QUERY, query, 'the query');
  sendJson(response, links.show(dev));
  return Promise.resolve();
}

export async function changeLinks({
  links,
  request,
  response,
  query,
}: LinkExchange): Promise<void> {
  parse(EMPTY_QUERY, query, 'the query');
  const body = await readJson(request, JSON_BODY_BYTES_MAX);
  const change = parse(LINK_REQUEST, body, 'the request');
  await links.apply(change);
  const report: LinkChangeReport = { applied: change.links.length };
  sendJson(response, report);
}
