---
title: Check that this server is ready
requirements: [PRE-4, PRE-8, PRE-9, PRE-10, PRE-11, PRE-19, STEP-2, STEP-13, TLS-15, SQL-4, SQL-5, DEF-10, DEF-13, DEF-62, DEF-68,
  DEF-69, DEF-80, DEF-98, DEF-112, DEF-116]
scope: server
path: check-readiness.cmd
format: cmd
effect: run_script
phase: prepare
order: 40
minutes: 5
rollback: none
runbook:
  before:
    - 'The vendor''s *Compatibility and Integration Matrix* allows what the inventory says: Windows Server {{ server.windows }} and .NET Framework {{ server.dotnet | md_code }} with SQL Server {{ sql.version }}.'
    - '{% if rabbitmq is defined or server.is_management %}OpenSSL 1.1.1 or later is there; Git for Windows brings one. The GnuWin32 build the guide names is from 2008. {% endif %}Whoever runs the script may log in to SQL Server as others (`IMPERSONATE ANY LOGIN`, or an administrator of it), or has its administrator do what the script prints.'
  do:
    - 'Days before, run `servers\{{ server.name }}\check-readiness.cmd` as administrator. It changes nothing but a folder of its own below `C:\ProgramData\cbgen`, looks at everything, and prints a line that begins with *OPEN* for each thing to mend: Windows, framework, {% if server.is_management %}logins of IIS that no proxy passes on, {% endif %}database driver and its build, release of SQL Server, both databases for each account the services run as{% if rabbitmq is defined or server.is_management %}, OpenSSL{% endif %}{% if network.firewall %}, the firewall and its policy{% endif %}, free space{% if rabbitmq is defined %}, and, by `preflight.cmd rehearse`, certificates, Erlang cookie and service of RabbitMQ{% endif %}.'
    - 'Mend what is open now, not in the window, and run it again.'
  check:
    - 'It ends with *This server is ready*. If not, stop: switching off old protocols later would lock this server out of the database.'
  undo:
    - 'Nothing was changed.'
---
{% set script_title = "Checks, days before the change, that this server is ready for it; changes nothing" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Nothing was changed. Mend what is open and run this script again." -%}
{% set state_name = "readiness" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/state" %}
set "SERVER={{ sql.server | cmd_set }}"
set "CONFIG_DATABASE={{ sql.config_database | cmd_set }}"
set "REPORT_DATABASE={{ sql.report_database | cmd_set }}"
set "PRODUCT={{ product.install_root | cmd_set }}"
set "PROXY={{ proxy.root | cmd_set }}"
set "POWERSHELL=%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe"
rem Everything is looked at, so that one run names all there is to do. PowerShell answers 3 for what is wrong; any other answer
rem than 0 says that it could not be asked, which is never fine.
set "OPEN="

"%POWERSHELL%" -NoProfile -NonInteractive -Command "if ((Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion' -ErrorAction Stop).CurrentBuildNumber -ne '{% if server.windows == 2012 %}9200{% elif server.windows == "2012r2" %}9600{% elif server.windows == 2016 %}14393{% else %}17763{% endif %}') { exit 3 }; exit 0"
if "%errorlevel%"=="0" goto :windows_right
set "OPEN=yes"
echo OPEN: this is not Windows Server {{ server.windows }} (build {% if server.windows == 2012 %}9200{% elif server.windows == "2012r2" %}9600{% elif server.windows == 2016 %}14393{% else %}17763{% endif %}), which the inventory says.
:windows_right
"%POWERSHELL%" -NoProfile -NonInteractive -Command "$r = (Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full' -ErrorAction Stop).Release; if ($r -lt {{ server.dotnet_release.number }}{% if server.dotnet_release.below is defined %} -or $r -ge {{ server.dotnet_release.below }}{% endif %}) { exit 3 }; exit 0"
if "%errorlevel%"=="0" goto :framework_right
set "OPEN=yes"
echo OPEN: the value Release of the .NET Framework is not the one of {{ server.dotnet | cmd_echo }}: {{ server.dotnet_release.number }} or more{% if server.dotnet_release.below is defined %} and less than {{ server.dotnet_release.below }}{% endif %}.
:framework_right
{% if server.is_management -%}
"%SYSTEM%\reg.exe" query "HKLM\SOFTWARE\Microsoft\InetStp" /v MajorVersion /reg:64 >nul 2>&1
if "%errorlevel%"=="0" goto :iis_found
set "OPEN=yes"
echo OPEN: IIS is not installed.
goto :logins_seen
:iis_found
rem NTLM belongs to a connection. Behind the proxy that is the connection of the proxy, so no login ends, and no page opens.
set "APPCMD=%SYSTEM%\inetsrv\appcmd.exe"
set "SITE={{ iis.site | cmd_set }}"
"%APPCMD%" list app "/site.name:%SITE%" /text:app.name >"%STATE%\applications.txt"
if "%errorlevel%"=="0" goto :applications_found
set "OPEN=yes"
echo OPEN: IIS cannot be asked for the applications of the site {{ iis.site | cmd_echo }}. Is iis.site of the inventory right?
goto :logins_seen
:applications_found
for /f "usebackq delims=" %%A in ("%STATE%\applications.txt") do call :application "%%A"
:logins_seen
{% endif -%}
{% for bits in ["64", "32"] -%}
"%SYSTEM%\reg.exe" query "HKLM\SOFTWARE\ODBC\ODBCINST.INI\ODBC Drivers" /v {{ sql.driver | cmd_arg }} /reg:{{ bits }} >nul 2>&1
if "%errorlevel%"=="0" goto :driver_{{ bits }}
set "OPEN=yes"
echo OPEN: the {{ bits }}-bit driver {{ sql.driver | cmd_echo }} is not installed.
:driver_{{ bits }}
{% endfor -%}
{% if sql.driver == "SQL Server Native Client 11.0" -%}
"%POWERSHELL%" -NoProfile -NonInteractive -Command "foreach ($d in 'System32', 'SysWOW64') { $v = (Get-Item -LiteralPath ($env:SystemRoot + '\' + $d + '\sqlncli11.dll') -ErrorAction Stop).VersionInfo; if ((New-Object Version $v.FileMajorPart, $v.FileMinorPart, $v.FileBuildPart, $v.FilePrivatePart) -lt [version]'2011.110.7001.0') { exit 3 } }; exit 0"
if "%errorlevel%"=="0" goto :build_right
set "OPEN=yes"
echo OPEN: sqlncli11.dll is older than 2011.110.7001.0 (package 11.4.7001.0), the first with TLS 1.2, in System32 or SysWOW64.
:build_right
{% endif -%}
"%POWERSHELL%" -NoProfile -NonInteractive -Command "foreach ($d in $env:SystemDrive, $env:PRODUCT) { if ((New-Object IO.DriveInfo $d.Substring(0, 1)).AvailableFreeSpace -lt 2GB) { exit 3 } }; exit 0"
if "%errorlevel%"=="0" goto :space_left
set "OPEN=yes"
echo OPEN: the drive of Windows or of %PRODUCT% has less than 2 GB free, for copies and logs.
:space_left
{% if rabbitmq is defined or server.is_management -%}
{% include "_cmd/openssl_path" -%}
if exist "%CALLBACK_OPENSSL%" goto :openssl_found
set "OPEN=yes"
echo OPEN: there is no %CALLBACK_OPENSSL%. Install Git for Windows, or set CALLBACK_OPENSSL to the full path of another openssl.exe.
goto :openssl_right
:openssl_found
"%CALLBACK_OPENSSL%" version >"%STATE%\openssl.txt"
if not "%errorlevel%"=="0" goto :openssl_wrong
"%SYSTEM%\findstr.exe" /r /c:"OpenSSL 1\.1\.1" /c:"OpenSSL [3-9]\." "%STATE%\openssl.txt" >nul
if "%errorlevel%"=="0" goto :openssl_right
:openssl_wrong
set "OPEN=yes"
echo OPEN: %CALLBACK_OPENSSL% is older than 1.1.1, or does not run.
:openssl_right
{% endif -%}
{% if network.firewall -%}
{% include "_cmd/firewall_state" -%}
if "%errorlevel%"=="0" goto :firewall_right
if "%errorlevel%"=="3" goto :firewall_off
if "%errorlevel%"=="4" goto :policy
set "OPEN=yes"
echo OPEN: the firewall cannot be asked for its state.
goto :firewall_right
:firewall_off
set "OPEN=yes"
echo OPEN: the firewall of Windows is off for at least one kind of network.
goto :firewall_right
:policy
set "OPEN=yes"
echo OPEN: a policy of the domain makes the firewall ignore rules of this server. Ask for the rules in that policy.
:firewall_right
{% endif %}
"%SYSTEM%\where.exe" sqlcmd >nul 2>&1
if "%errorlevel%"=="0" goto :sqlcmd_found
set "OPEN=yes"
echo OPEN: sqlcmd is missing. Install the Microsoft command line utilities for SQL Server that fit the driver.
goto :sql_done
:sqlcmd_found
rem sqlcmd 18 encrypts and checks the certificate of SQL Server. TRUST is an option that changes nothing, or the one that trusts it.
set "TRUST=-b"
if not defined CALLBACK_SQL_TRUST set "CALLBACK_SQL_TRUST="
if defined CALLBACK_SQL_TRUST set "TRUST=-C"
sqlcmd -S "%SERVER%" -E -b "%TRUST%" -l 15 -Q "SELECT SUSER_SNAME();" -o "%STATE%\login.txt"
if "%errorlevel%"=="0" goto :logged_in
set "OPEN=yes"
rem unchecked: only shows the reason
type "%STATE%\login.txt"
echo OPEN: SQL Server %SERVER% cannot be reached, or it refuses %USERDOMAIN%\%USERNAME%.
goto :sql_done
:logged_in
sqlcmd -S "%SERVER%" -E -b "%TRUST%" -l 15 -Q "IF PARSENAME(CONVERT(nvarchar(32), SERVERPROPERTY('ProductVersion')), 4) <> {% if sql.version == 2012 %}11 OR PARSENAME(CONVERT(nvarchar(32), SERVERPROPERTY('ProductVersion')), 2) < 6216{% elif sql.version == 2016 %}13{% else %}14{% endif %} THROW 50101, N'another release', 1;" -o "%STATE%\release.txt"
if "%errorlevel%"=="0" goto :release_right
set "OPEN=yes"
echo OPEN: SQL Server %SERVER% is not {{ sql.version }}{% if sql.version == 2012 %} with TLS 1.2: build 11.0.6216 or later, or SP4{% endif %}.
:release_right
{% if sql.has_ole and sql.ole.encrypt -%}
rem Without the option that trusts any: so would Callback ask.
sqlcmd -S "%SERVER%" -E -N -b -l 15 -Q "SELECT encrypt_option FROM sys.dm_exec_connections WHERE session_id = @@SPID;" -o "%STATE%\encrypted.txt"
if "%errorlevel%"=="0" goto :encrypted
set "OPEN=yes"
rem unchecked: only shows the reason
type "%STATE%\encrypted.txt"
echo OPEN: this server does not trust the certificate of SQL Server, or that has another name than %SERVER%.
:encrypted
{% endif -%}
rem Accounts without a name in the network log in as the one of the machine.
"%POWERSHELL%" -NoProfile -NonInteractive -Command "$ErrorActionPreference = 'Stop'; $m = $env:COMPUTERNAME + '$'; $n = @(Get-CimInstance Win32_Service | Where-Object { $_.PathName -and $_.StartName -and $_.PathName.IndexOf($env:PRODUCT, [StringComparison]::OrdinalIgnoreCase) -ge 0 -and $_.PathName.IndexOf($env:PROXY, [StringComparison]::OrdinalIgnoreCase) -lt 0 } | ForEach-Object { $_.StartName }); {% if server.is_management %}Import-Module WebAdministration; foreach ($w in @(Get-WebApplication)) { if ($w.PhysicalPath.IndexOf($env:PRODUCT, [StringComparison]::OrdinalIgnoreCase) -ge 0) { $p = Get-Item -LiteralPath ('IIS:\AppPools\' + $w.applicationPool); if ([string]$p.processModel.identityType -eq 'SpecificUser') { $n += $p.processModel.userName } else { $n += $m } } }; {% endif %}if ($n.Count -eq 0) { exit 3 }; $sid = [Security.Principal.SecurityIdentifier]; $o = foreach ($a in $n) { if ($a -eq 'LocalSystem') { $a = $m }; if ($a.StartsWith('.\')) { $a = $env:COMPUTERNAME + $a.Substring(1) }; $i = (New-Object Security.Principal.NTAccount $a).Translate($sid); if ($i.Value -match '\AS-1-5-(18$|20$|80-|82-)') { $i = (New-Object Security.Principal.NTAccount $m).Translate($sid) }; $i.Translate([Security.Principal.NTAccount]).Value }; if (($o -join '') -match '[\x25\x26\x27\x5e]') { exit 4 }; $o | Sort-Object -Unique; exit 0" >"%STATE%\accounts.txt"
if "%errorlevel%"=="0" goto :accounts_found
if not "%errorlevel%"=="3" goto :no_accounts
echo OPEN: no service runs from %PRODUCT%, so nobody knows which accounts log in to SQL Server. Is Callback installed there?
set "OPEN=yes"
goto :sql_done
:no_accounts
echo OPEN: the accounts of services{% if server.is_management %} and application pools{% endif %} below %PRODUCT% cannot be found out.
set "OPEN=yes"
goto :sql_done
:accounts_found
if not defined CALLBACK_LOGINS_SEEN set "CALLBACK_LOGINS_SEEN="
for /f "usebackq delims=" %%A in ("%STATE%\accounts.txt") do call :account "%%A"
:sql_done
{% if rabbitmq is defined %}
rem Certificates, Erlang cookie, files and service of the broker: the script of the change itself, which keeps nothing today.
call "%~dp0rabbitmq\preflight.cmd" rehearse
if "%errorlevel%"=="0" goto :rehearsed
set "OPEN=yes"
echo OPEN: RabbitMQ is not ready; the step above says what is missing.
:rehearsed
{% endif %}
if defined OPEN goto :not_ready
echo This server is ready.
endlocal
exit /b 0
{% if server.is_management %}
:application
set "VALUE="
"%APPCMD%" list config "%~1" "-section:system.webServer/security/authentication/windowsAuthentication" /text:enabled >"%STATE%\windows-login.txt"
if not "%errorlevel%"=="0" goto :login_unknown
for /f "usebackq delims=" %%A in ("%STATE%\windows-login.txt") do set "VALUE=%%A"
if /i "%VALUE%"=="false" exit /b 0
if /i "%VALUE%"=="true" goto :windows_login
:login_unknown
set "OPEN=yes"
echo OPEN: whether "%~1" in IIS asks for a login of Windows cannot be told.
exit /b 1
:windows_login
set "OPEN=yes"
echo OPEN: "%~1" in IIS asks for a login of Windows, which does not pass the proxy. Switch Windows authentication off there, or
echo   keep that application away from the proxy.
exit /b 1
{% endif %}
:account
set "ACCOUNT=%~1"
echo Account that logs in to SQL Server: %ACCOUNT%
if defined CALLBACK_LOGINS_SEEN exit /b 0
rem sqlcmd puts the variables in.
sqlcmd -S "%SERVER%" -E -b "%TRUST%" -l 15 -Q "EXECUTE AS LOGIN = N'$(ACCOUNT)'; IF ISNULL(HAS_DBACCESS(N'$(CONFIG_DATABASE)'), 0) + ISNULL(HAS_DBACCESS(N'$(REPORT_DATABASE)'), 0) <> 2 THROW 50102, N'no access', 1;" -o "%STATE%\account.txt"
if "%errorlevel%"=="0" exit /b 0
set "OPEN=yes"
rem unchecked: only shows the reason
type "%STATE%\account.txt"
echo OPEN: %ACCOUNT% has no access to %CONFIG_DATABASE% or %REPORT_DATABASE%, or you may not ask. An administrator of SQL Server runs
echo   EXECUTE AS LOGIN = N'%ACCOUNT%'; SELECT HAS_DBACCESS(N'%CONFIG_DATABASE%'), HAS_DBACCESS(N'%REPORT_DATABASE%');
echo and answers 1 and 1. When each account has them, set CALLBACK_LOGINS_SEEN to yes and run this script again.
exit /b 1

:not_ready
set "STEP=see that nothing is open"
set "CODE=0"
goto :failed

:fail
set "CODE=%errorlevel%"
:failed
{% include "_cmd/failed" %}
