/** The address bar. */

/** The path of an address without the token by which somebody came in: the cookie has taken its place. */
export function withoutToken(href: string): string {
  const { pathname, searchParams, hash } = new URL(href);
  searchParams.delete('token');
  const rest = searchParams.toString();
  return `${pathname}${rest && `?${rest}`}${hash}`;
}
