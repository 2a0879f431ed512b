---
title: Restore the values that apply-windows-tls.cmd changed
requirements: [DEF-103]
scope: server
path: registry/rollback-windows-tls.cmd
format: cmd
effect: run_script
phase: registry
order: 61
rollback: none
---
{% set script_title = "Restores the values as they were before apply-windows-tls.cmd" -%}
{% set script_machine = server.name -%}
{% set script_advice = "The saved keys lie in the cbgen folder of ProgramData; correct the cause and run this script again." -%}
{% set state_name = "windows-tls" -%}
{% set values = [
  ["HKLM\\SOFTWARE\\Microsoft\\.NETFramework\\v4.0.30319", "SchUseStrongCrypto"],
  ["HKLM\\SOFTWARE\\Microsoft\\.NETFramework\\v4.0.30319", "SystemDefaultTlsVersions"],
  ["HKLM\\SOFTWARE\\WOW6432Node\\Microsoft\\.NETFramework\\v4.0.30319", "SchUseStrongCrypto"],
  ["HKLM\\SOFTWARE\\WOW6432Node\\Microsoft\\.NETFramework\\v4.0.30319", "SystemDefaultTlsVersions"],
  ["HKLM\\SOFTWARE\\Microsoft\\.NETFramework\\v2.0.50727", "SchUseStrongCrypto"],
  ["HKLM\\SOFTWARE\\Microsoft\\.NETFramework\\v2.0.50727", "SystemDefaultTlsVersions"],
  ["HKLM\\SOFTWARE\\WOW6432Node\\Microsoft\\.NETFramework\\v2.0.50727", "SchUseStrongCrypto"],
  ["HKLM\\SOFTWARE\\WOW6432Node\\Microsoft\\.NETFramework\\v2.0.50727", "SystemDefaultTlsVersions"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Client", "Enabled"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Client", "DisabledByDefault"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Server", "Enabled"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Server", "DisabledByDefault"]
] -%}
{% include "registry/_registry/rollback" %}
