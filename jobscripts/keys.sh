# shellcheck shell=bash
# The run's own keys: two self-signed certificates, trusted by nobody but the two ends of this run.

# `openssl req -x509` cannot set the start of validity before OpenSSL 3.4, `openssl ca` always could: 25 hours back,
# because the clocks of nodes differ, and a login node in another zone may have its clock on local time.
qc_write_key_config() {
  local name serial
  for name in server client; do
    read -r serial </proc/sys/kernel/random/uuid
    printf '00%s\n' "${serial//-/}" >"$qc_rt/$name.serial"
    : >"$qc_rt/$name.index"
    printf '[%s]\n' "ca_$name"
    printf '%s\n' "database=$qc_rt/$name.index" "serial=$qc_rt/$name.serial" "new_certs_dir=$qc_rt/ca" \
      'default_md=sha256' 'policy=policy' 'unique_subject=no' 'email_in_dn=no'
    printf '[%s]\n' "$name"
    printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' \
      'subjectKeyIdentifier=hash' 'authorityKeyIdentifier=keyid:always' 'subjectAltName=DNS:qconnect-server' \
      "extendedKeyUsage=${name}Auth"
  done
  printf '%s\n' '[policy]' 'commonName=supplied' '[req]' 'distinguished_name=name' 'prompt=no' '[name]' 'CN=qconnect'
}

# server | client: NAME.key and NAME.pem in the session folder.
qc_make_key() {
  local from until
  TZ=UTC0 printf -v from '%(%y%m%d%H%M%SZ)T' "$((${qc_began%.*} - 90000))"
  TZ=UTC0 printf -v until '%(%y%m%d%H%M%SZ)T' "$((${qc_began%.*} + qc_walltime + 30 * 86400))"
  timeout 30 openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -pkeyopt ec_param_enc:named_curve \
    -nodes -config "$qc_rt/ssl.cnf" -keyout "$qc_s/$1.key" -out "$qc_rt/$1.csr" &&
    timeout 30 openssl ca -batch -selfsign -notext -config "$qc_rt/ssl.cnf" -name "ca_$1" -extensions "$1" \
      -startdate "$from" -enddate "$until" -keyfile "$qc_s/$1.key" -in "$qc_rt/$1.csr" -out "$qc_s/$1.pem"
}

# Both keys and the server's fingerprint in RUNTIME/fingerprint; to be run beside other work.
qc_make_keys() {
  local client
  qc_write_key_config >"$qc_rt/ssl.cnf"
  qc_make_key client & client=$!
  qc_make_key server && wait "$client" &&
    openssl x509 -in "$qc_s/server.pem" -noout -sha256 -fingerprint >"$qc_rt/fingerprint"
} >"$qc_rt/openssl.log" 2>&1

# The fingerprint as 64 hex digits in qc_fingerprint.
qc_read_fingerprint() {
  read -r qc_fingerprint <"$qc_rt/fingerprint"
  qc_fingerprint=${qc_fingerprint##*=} qc_fingerprint=${qc_fingerprint//:/} qc_fingerprint=${qc_fingerprint,,}
  [[ $qc_fingerprint =~ ^[0-9a-f]{64}$ ]]
}
