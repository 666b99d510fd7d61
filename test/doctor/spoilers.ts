/** Ways to spoil a fleet from in front of it, as they are found in the wild, each as one nginx server. */

/** In `location /`, beside what every proxy of a fleet has. */
export const SPOILERS = {
  none: '',
  withholding: 'proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;',
  buffered: `proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;
      gzip on; gzip_proxied any; gzip_min_length 0; gzip_types text/event-stream;`,
  compressing: 'gzip on; gzip_proxied any; gzip_min_length 0; gzip_types text/event-stream;',
  impatient: 'proxy_read_timeout 700ms;',
  repeating: 'proxy_next_upstream error timeout invalid_header http_502 http_503 http_504 non_idempotent;',
  forgetful: 'proxy_set_header Mcp-Session-Id "";',
  selective: `proxy_set_header MCP-Protocol-Version ""; proxy_set_header Last-Event-ID "";
      proxy_set_header Mcp-Method ""; proxy_set_header Mcp-Name ""; proxy_set_header Origin "";`,
  secretive: 'proxy_hide_header Mcp-Session-Id;',
  sticky: '',
  branded: 'add_header Set-Cookie "ROUTE=a; Path=/";',
  narrow: 'client_max_body_size 64k;',
  polite: 'proxy_intercept_errors on; error_page 404 405 413 /sorry.html;',
  moved: 'return 301 https://$host/elsewhere;',
} as const;

export type Spoiler = keyof typeof SPOILERS;

export function spoiltConfig(nodes: readonly string[], ports: Readonly<Record<Spoiler, number>>): string {
  // Without passive health checks, and a group of its own for each: what is provoked behind one must not disturb another.
  const members = nodes.map((url) => `server ${new URL(url).host} max_fails=0;`).join(' ');
  const servers = (Object.keys(SPOILERS) as Spoiler[]).map((name) => {
    const spoiler = SPOILERS[name];
    // A directive may stand once only; the spoiler's wins.
    const unless = (directive: string, line: string): string => (spoiler.includes(directive) ? '' : line);
    return `upstream ${name} { ${name === 'sticky' ? 'ip_hash; ' : ''}${members} }
  server {
    listen 127.0.0.1:${ports[name]};
    location = /sorry.html { internal; return 200 "<html><title>Sorry</title></html>"; default_type text/html; }
    location / {
      proxy_pass http://${name};
      proxy_http_version 1.1;
      proxy_buffer_size 4k;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
      ${unless('proxy_buffering', 'proxy_buffering off;')}
      ${unless('client_max_body_size', 'client_max_body_size 1m;')}
      ${unless('proxy_next_upstream', 'proxy_next_upstream off;')}
      ${spoiler}
    }
  }`;
  });
  return `worker_processes 1;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  ${servers.join('\n  ')}
}
`;
}
