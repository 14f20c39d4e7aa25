/** Addresses of pages. */

/** The path of an address without the token by which somebody came in: the cookie has taken its place. */
export function withoutToken(href: string): string {
  const { pathname, searchParams, hash } = new URL(href);
  searchParams.delete('token');
  const rest = searchParams.toString();
  return `${pathname}${rest && `?${rest}`}${hash}`;
}

/** Where a hub starts the server and then leads back to this page; `spawnUrl` is the hub's own address for that. */
export function spawnFor(spawnUrl: string, href: string): string {
  return `${spawnUrl}?next=${encodeURIComponent(new URL(href).pathname)}`;
}
