#!/bin/sh
# Starts nginx, with a self-signed certificate if there is none.
set -eu
cd /etc/nginx/tls
[ -f cert.pem ] || openssl req -x509 -newkey rsa:2048 -nodes -days 825 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem 2> /dev/null
exec nginx -g 'daemon off;'
