@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Checks certificates, service and broker, and saves the old state once
rem Made by cbgen for MGMT01, bundle acme-prod 2026.12.1. Change the inventory, not this file.
rem Exit code 0: every step was done and checked. Anything else: the named step failed and nothing after it ran.
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit console would reach the 32-bit programs and registry; Sysnative is its way to the native ones.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "STEP=check administrator rights"
rem Asks the filter manager, which answers administrators only. Without an answer Windows says whether rights are the reason.
"%SYSTEM%\fltmc.exe" >nul 2>&1
if "%errorlevel%"=="0" goto :elevated
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "$me = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent()); if ($me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { exit 0 }; exit 3"
if "%errorlevel%"=="0" goto :elevated
if "%errorlevel%"=="3" goto :not_elevated
echo Neither the filter manager nor PowerShell answers, so nobody knows whether this command prompt has the rights of an administrator.
goto :fail
:not_elevated
echo Start the command prompt with Run as administrator, then run this script again.
goto :fail
:elevated

set "STEP=check that this is MGMT01"
if /i "%COMPUTERNAME%"=="MGMT01" goto :right_server
echo This script was made for MGMT01; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-prod\2026.12.1\rabbitmq"
if exist "%STATE%\." goto :folder_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:folder_ready
rem What is saved here may hold passwords: old federation addresses often do. Only the system and administrators read it.
"%SYSTEM%\icacls.exe" "%STATE%" /inheritance:r /grant:r "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" >nul
if not "%errorlevel%"=="0" goto :fail

set "SBIN=C:\Program Files (x86)\Virtual Hold Technology\RabbitMQ Server\rabbitmq_server-3.8.1\sbin"
set "CTL=%SBIN%\rabbitmqctl.bat"
set "PLUGINS=%SBIN%\rabbitmq-plugins.bat"
set "CONFIG=C:\Program Files (x86)\Virtual Hold Technology\RabbitMQ Server\rabbitmq.config"
set "REG=%SYSTEM%\reg.exe"
set "STEP=find the tools of RabbitMQ in %SBIN%"
if not exist "%CTL%" goto :fail
if not exist "%PLUGINS%" goto :fail

rem The tools must use the folder the service uses, else they change files the broker never reads.
set "STEP=ask the service RabbitMQ for its folder"
call :read_service
if not "%errorlevel%"=="0" goto :fail
set "RABBITMQ_CONFIG_FILE=%CONFIG%"
rem Either of these would open the plain port again.
set "RABBITMQ_NODE_PORT="
set "RABBITMQ_NODE_IP_ADDRESS="

set "CERTS=C:\certs\rabbitmq"
set "STEP=find openssl.exe"
if defined CALLBACK_OPENSSL goto :openssl_chosen
set "CALLBACK_OPENSSL=%ProgramFiles%\Git\mingw64\bin\openssl.exe"
if exist "%CALLBACK_OPENSSL%" goto :openssl_chosen
set "CALLBACK_OPENSSL=%ProgramFiles%\Git\usr\bin\openssl.exe"
:openssl_chosen
if exist "%CALLBACK_OPENSSL%" goto :openssl_found
echo There is no %CALLBACK_OPENSSL%.
echo Install Git for Windows, or set CALLBACK_OPENSSL to the full path of another openssl.exe.
goto :fail
:openssl_found
"%CALLBACK_OPENSSL%" version
if not "%errorlevel%"=="0" goto :fail

echo Folder of the service: %RABBITMQ_BASE%
echo Configuration file: %CONFIG%
echo ERLANG_HOME: %ERLANG_HOME%
"%SYSTEM%\findstr.exe" /i /l /c:"C:/Program Files (x86)/Virtual Hold Technology/RabbitMQ Server/rabbitmq.config" "%STATE%\service.txt" >nul
if "%errorlevel%"=="0" goto :service_knows_config
if not "%errorlevel%"=="1" goto :fail
echo NOTE: the service does not read this file yet; apply-config.cmd will install the service again.
:service_knows_config

set "STEP=find ca_certificate.pem in %CERTS%"
if not exist "%CERTS%\ca_certificate.pem" goto :fail
set "STEP=find server_certificate.pem in %CERTS%"
if not exist "%CERTS%\server_certificate.pem" goto :fail
set "STEP=find server_key.pem in %CERTS%"
if not exist "%CERTS%\server_key.pem" goto :fail
set "STEP=find cert.p12 in %CERTS%"
if not exist "%CERTS%\cert.p12" goto :fail
set "STEP=find client_key.p12 in %CERTS%"
if not exist "%CERTS%\client_key.p12" goto :fail
set "STEP=find client_certificate.pem in %CERTS%"
if not exist "%CERTS%\client_certificate.pem" goto :fail
set "STEP=find client_key.pem in %CERTS%"
if not exist "%CERTS%\client_key.pem" goto :fail

set "STEP=open cert.p12 without a password"
call :open_p12 "%CERTS%\cert.p12"
if not "%errorlevel%"=="0" goto :fail
set "STEP=open client_key.p12 without a password"
call :open_p12 "%CERTS%\client_key.p12"
if not "%errorlevel%"=="0" goto :fail

set "STEP=check that server_certificate.pem has not expired"
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\server_certificate.pem" -noout -checkend 0 >nul
if not "%errorlevel%"=="0" goto :fail
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\server_certificate.pem" -noout -checkend 2592000 >nul
if not "%errorlevel%"=="0" echo NOTE: server_certificate.pem expires within 30 days.

set "STEP=check the chain of server_certificate.pem"
"%CALLBACK_OPENSSL%" verify -CAfile "%CERTS%\ca_certificate.pem" -untrusted "%CERTS%\server_certificate.pem" "%CERTS%\server_certificate.pem"
if not "%errorlevel%"=="0" goto :fail

set "STEP=check that server_certificate.pem may act as a server (extended key usage)"
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\server_certificate.pem" -noout -purpose >"%STATE%\purpose.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /b /c:"SSL server : Yes" "%STATE%\purpose.txt" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=check that server_key.pem has no password and belongs to server_certificate.pem"
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\server_certificate.pem" -noout -pubkey >"%STATE%\certificate.pub"
if not "%errorlevel%"=="0" goto :fail
"%CALLBACK_OPENSSL%" pkey -in "%CERTS%\server_key.pem" -passin pass: -pubout >"%STATE%\key.pub"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\fc.exe" /b "%STATE%\certificate.pub" "%STATE%\key.pub" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=check that client_certificate.pem has not expired"
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\client_certificate.pem" -noout -checkend 0 >nul
if not "%errorlevel%"=="0" goto :fail
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\client_certificate.pem" -noout -checkend 2592000 >nul
if not "%errorlevel%"=="0" echo NOTE: client_certificate.pem expires within 30 days.

set "STEP=check the chain of client_certificate.pem"
"%CALLBACK_OPENSSL%" verify -CAfile "%CERTS%\ca_certificate.pem" -untrusted "%CERTS%\client_certificate.pem" "%CERTS%\client_certificate.pem"
if not "%errorlevel%"=="0" goto :fail

set "STEP=check that client_certificate.pem may act as a client (extended key usage)"
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\client_certificate.pem" -noout -purpose >"%STATE%\purpose.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /b /c:"SSL client : Yes" "%STATE%\purpose.txt" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=check that client_key.pem has no password and belongs to client_certificate.pem"
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\client_certificate.pem" -noout -pubkey >"%STATE%\certificate.pub"
if not "%errorlevel%"=="0" goto :fail
"%CALLBACK_OPENSSL%" pkey -in "%CERTS%\client_key.pem" -passin pass: -pubout >"%STATE%\key.pub"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\fc.exe" /b "%STATE%\certificate.pub" "%STATE%\key.pub" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=check that server_certificate.pem names MGMT01, as other brokers ask for it"
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\server_certificate.pem" -noout -checkhost "MGMT01" >"%STATE%\host.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /c:"does match certificate" "%STATE%\host.txt" >nul
if not "%errorlevel%"=="0" goto :fail
rem unchecked: the words in the file say what it found
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\server_certificate.pem" -noout -checkhost "mgmt01.acme.example" >"%STATE%\host.txt"
"%SYSTEM%\findstr.exe" /c:"does match certificate" "%STATE%\host.txt" >nul
if "%errorlevel%"=="0" goto :names_full
if not "%errorlevel%"=="1" goto :fail
echo NOTE: server_certificate.pem does not name mgmt01.acme.example; clients that use this name will refuse it.
:names_full

set "STEP=check that the Common Name of client_certificate.pem is callback-mq"
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\client_certificate.pem" -noout -subject -nameopt multiline >"%STATE%\subject.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /c:"commonName" "%STATE%\subject.txt" >"%STATE%\name.txt"
if not "%errorlevel%"=="0" goto :fail
rem RabbitMQ joins several Common Names to one name.
set "FOUND="
set "SEVERAL="
for /f "usebackq tokens=2,*" %%A in ("%STATE%\name.txt") do call :common_name "%%B"
if defined SEVERAL goto :fail
if not "%FOUND%"=="callback-mq" goto :fail

set "STEP=see that the registry answers"
"%REG%" query "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=check that RABBITMQ_NODE_PORT is not set; it would open the plain port again"
"%REG%" query "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment" /v RABBITMQ_NODE_PORT >nul 2>&1
if "%errorlevel%"=="0" goto :fail
set "STEP=check that RABBITMQ_NODE_IP_ADDRESS is not set; it would open the plain port again"
"%REG%" query "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment" /v RABBITMQ_NODE_IP_ADDRESS >nul 2>&1
if "%errorlevel%"=="0" goto :fail
set "STEP=check that rabbitmq-env-conf.bat sets no port"
if not exist "%RABBITMQ_BASE%\rabbitmq-env-conf.bat" goto :no_settings
"%SYSTEM%\findstr.exe" /i "NODE_PORT NODE_IP_ADDRESS" "%RABBITMQ_BASE%\rabbitmq-env-conf.bat" >nul
if not "%errorlevel%"=="1" goto :fail
:no_settings

rem The tools log in to the broker with a cookie, a file in the home folder of whoever runs them.
set "STEP=compare the Erlang cookie of %USERNAME% with the one of the service"
if not exist "%USERPROFILE%\.erlang.cookie" goto :cookies_compared
if not exist "%SYSTEM%\config\systemprofile\.erlang.cookie" goto :cookie_1
set "COOKIE=%SYSTEM%\config\systemprofile"
"%SYSTEM%\fc.exe" /b "%USERPROFILE%\.erlang.cookie" "%SYSTEM%\config\systemprofile\.erlang.cookie" >nul
if "%errorlevel%"=="0" goto :cookies_compared
if not "%errorlevel%"=="1" goto :closed_cookie
goto :other_cookie
:cookie_1
if not exist "%SystemRoot%\.erlang.cookie" goto :cookie_2
set "COOKIE=%SystemRoot%"
"%SYSTEM%\fc.exe" /b "%USERPROFILE%\.erlang.cookie" "%SystemRoot%\.erlang.cookie" >nul
if "%errorlevel%"=="0" goto :cookies_compared
if not "%errorlevel%"=="1" goto :closed_cookie
goto :other_cookie
:cookie_2
:cookies_compared
rem What the service reads today and would not read any more is lost without a word.
set "STEP=see that no other file holds settings of the broker, which would get lost"
set "OTHER=rabbitmq.conf"
if exist "%RABBITMQ_BASE%\rabbitmq.conf" goto :other_file
if /i "%CONFIG%"=="%RABBITMQ_BASE%\rabbitmq.config" goto :one_file
"%SYSTEM%\findstr.exe" /i /l /c:"C:/Program Files (x86)/Virtual Hold Technology/RabbitMQ Server/rabbitmq.config" "%STATE%\service.txt" >nul
if "%errorlevel%"=="0" goto :one_file
if not "%errorlevel%"=="1" goto :fail
set "OTHER=rabbitmq.config"
if exist "%RABBITMQ_BASE%\rabbitmq.config" goto :other_file
set "OTHER=advanced.config"
if exist "%RABBITMQ_BASE%\advanced.config" goto :other_file
:one_file

set "STEP=ask the broker for its users; it must run, ERLANG_HOME and the Erlang cookie of this account must be right"
call "%CTL%" -q list_users --formatter json >"%STATE%\now-users.json"
if not "%errorlevel%"=="0" goto :fail
set "STEP=ask the broker for its permissions"
call "%CTL%" -q list_permissions -p / --formatter json >"%STATE%\now-permissions.json"
if not "%errorlevel%"=="0" goto :fail
set "STEP=ask the broker for its federation upstreams"
call "%CTL%" -q list_parameters -p / --formatter json >"%STATE%\now-parameters.json"
if not "%errorlevel%"=="0" goto :fail
set "STEP=ask the broker for its plugins"
call "%PLUGINS%" -q list -E -m >"%STATE%\now-plugins.txt"
if not "%errorlevel%"=="0" goto :fail
if not exist "%RABBITMQ_BASE%\enabled_plugins" goto :fail
set "STEP=check that the federation plugin is enabled"
"%SYSTEM%\findstr.exe" /b /c:"rabbitmq_federation" "%STATE%\now-plugins.txt" >nul
if not "%errorlevel%"=="0" goto :fail

rem The way back is tried before anything changes: the broker itself must be able to read what is saved here.
set "STEP=let the broker read the saved state; its service account needs access to %STATE%"
call "%CTL%" -q eval "[begin {ok, B} = file:read_file(F), true = is_list(rabbit_json:decode(B)) end || F <- [_1, _2, _3]], ok." "%STATE%\now-users.json" "%STATE%\now-permissions.json" "%STATE%\now-parameters.json" >nul
if not "%errorlevel%"=="0" goto :fail

if not exist "%CONFIG%" goto :no_config_yet
set "STEP=read the terms of the configuration file"
copy /y "%~dp0rabbitmq.config" "%RABBITMQ_BASE%\cbgen-bundle.config" >nul
if not "%errorlevel%"=="0" goto :fail
echo Settings of the old file that this bundle does not make; they stay:
call "%CTL%" -q eval "{ok, [Old]} = file:consult(_1), {ok, [New]} = file:consult(_2), [{A, [element(1, T) || T <- S, not lists:keymember(element(1, T), 1, proplists:get_value(A, New, []))]} || {A, S} <- Old]." "%CONFIG%" "%RABBITMQ_BASE%\cbgen-bundle.config"
if not "%errorlevel%"=="0" goto :fail
del "%RABBITMQ_BASE%\cbgen-bundle.config"
if exist "%RABBITMQ_BASE%\cbgen-bundle.config" goto :fail
:no_config_yet

set "STEP=list the federation upstreams"
echo Federation upstreams of this broker:
call "%CTL%" -q eval "{ok, B} = file:read_file(_1), [maps:get(atom_to_binary(name, utf8), M) || M <- rabbit_json:decode(B), maps:get(atom_to_binary(component, utf8), M) =:= atom_to_binary('federation-upstream', utf8)]." "%STATE%\now-parameters.json"
if not "%errorlevel%"=="0" goto :fail
if "%~1"=="rehearse" goto :passed

if exist "%STATE%\captured.txt" goto :passed
set "STEP=save the old state in %STATE%"
rem unchecked: what an earlier application saved, if anything; the next line asks
del /q "%STATE%\config-absent.txt" >nul 2>&1
if exist "%STATE%\config-absent.txt" goto :fail
copy /y "%STATE%\now-users.json" "%STATE%\users.json" >nul
if not "%errorlevel%"=="0" goto :fail
copy /y "%STATE%\now-permissions.json" "%STATE%\permissions.json" >nul
if not "%errorlevel%"=="0" goto :fail
copy /y "%STATE%\now-parameters.json" "%STATE%\parameters.json" >nul
if not "%errorlevel%"=="0" goto :fail
copy /y "%STATE%\now-plugins.txt" "%STATE%\plugins.txt" >nul
if not "%errorlevel%"=="0" goto :fail
"%REG%" export "%KEY%" "%STATE%\service.reg" /y "%VIEW%" >nul
if not "%errorlevel%"=="0" goto :fail
copy /y "%RABBITMQ_BASE%\enabled_plugins" "%STATE%\enabled_plugins" >nul
if not "%errorlevel%"=="0" goto :fail
copy /y "C:\Program Files (x86)\Virtual Hold Technology\rabbitmq_config.json" "%STATE%\rabbitmq_config.json" >nul
if not "%errorlevel%"=="0" goto :fail
if not exist "%CONFIG%" goto :config_is_new
copy /y "%CONFIG%" "%STATE%\rabbitmq.config" >nul
if not "%errorlevel%"=="0" goto :fail
goto :config_saved
:config_is_new
echo absent>"%STATE%\config-absent.txt"
if not exist "%STATE%\config-absent.txt" goto :fail
:config_saved
echo captured>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
if not exist "%STATE%\rolled-back.txt" goto :passed
del "%STATE%\rolled-back.txt"
if exist "%STATE%\rolled-back.txt" goto :fail

:passed
echo All checks passed.
endlocal
exit /b 0

:common_name
if defined FOUND set "SEVERAL=1"
set "FOUND=%~1"
exit /b 0

:closed_cookie
echo %COOKIE%\.erlang.cookie or %USERPROFILE%\.erlang.cookie cannot be read, so nobody knows whether they are the same.
echo Give Administrators the right to read both, then run this script again.
goto :fail

:other_cookie
echo %COOKIE%\.erlang.cookie and %USERPROFILE%\.erlang.cookie differ, so the tools cannot log in to the broker.
echo Copy the one of the service over the one of %USERNAME%, then run this script again.
goto :fail

:other_file
echo This broker has a %RABBITMQ_BASE%\%OTHER%. With another configuration file its settings would no longer be read.
echo Bring them into %CONFIG%, or set overrides.rabbitmq_config_file to the file itself, and take %OTHER% away.
goto :fail

:open_p12
"%CALLBACK_OPENSSL%" pkcs12 -in "%~1" -noout -passin pass: >nul 2>&1
if "%errorlevel%"=="0" exit /b 0
rem OpenSSL 3 reads files with older ciphers only with this option.
"%CALLBACK_OPENSSL%" pkcs12 -legacy -in "%~1" -noout -passin pass: >nul 2>&1
if "%errorlevel%"=="0" exit /b 0
exit /b 1

:read_service
set "KEY=HKLM\SOFTWARE\Ericsson\Erlang\ErlSrv\1.1\RabbitMQ"
set "VIEW=/reg:64"
"%REG%" query "%KEY%" "%VIEW%" >"%STATE%\service.txt" 2>nul
if "%errorlevel%"=="0" goto :service_read
set "VIEW=/reg:32"
"%REG%" query "%KEY%" "%VIEW%" >"%STATE%\service.txt" 2>nul
if not "%errorlevel%"=="0" exit /b 1
:service_read
"%SYSTEM%\findstr.exe" /c:" WorkDir " "%STATE%\service.txt" >"%STATE%\workdir.txt"
if not "%errorlevel%"=="0" exit /b 1
set "RABBITMQ_BASE="
for /f "usebackq tokens=2,*" %%A in ("%STATE%\workdir.txt") do set "RABBITMQ_BASE=%%B"
if not defined RABBITMQ_BASE exit /b 1
if not exist "%RABBITMQ_BASE%\." exit /b 1
exit /b 0


:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Nothing on this server has changed.
endlocal
exit /b 1


