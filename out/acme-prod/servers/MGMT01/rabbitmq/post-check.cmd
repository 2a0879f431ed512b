@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Checks RabbitMQ with real TLS connections; changes nothing
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

rem The broker's own TLS client sends the whole chain in the file, as federation does; s_client would send the first
rem certificate only.
set "STEP=connect with TLS 1.2 and the client certificate"
call "%CTL%" -q eval "[H, A, C, K] = [binary_to_list(B) || B <- [_1, _2, _3, _4]], {ok, S} = ssl:connect(H, 5671, [{cacertfile, A}, {certfile, C}, {keyfile, K}, {verify, verify_peer}, {server_name_indication, H}, {versions, ['tlsv1.2']}], 20000), ssl:close(S)." "MGMT01" "C:/certs/rabbitmq/ca_certificate.pem" "C:/certs/rabbitmq/client_certificate.pem" "C:/certs/rabbitmq/client_key.pem"
if not "%errorlevel%"=="0" goto :fail

set "STEP=see that a client without certificate is refused"
"%CALLBACK_OPENSSL%" s_client -connect "MGMT01:5671" -servername "MGMT01" -tls1_2 -CAfile "%CERTS%\ca_certificate.pem" -verify_hostname "MGMT01" <nul >"%STATE%\refused.txt" 2>&1
if "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /i /c:"handshake failure" /c:"certificate required" "%STATE%\refused.txt" >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=see that the chain and the name of the broker certificate hold, as OpenSSL judges"
"%SYSTEM%\findstr.exe" /c:"Verify return code: 0 (ok)" "%STATE%\refused.txt" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=see that nothing listens on port 5672"
"%SYSTEM%\netstat.exe" -an -p TCP >"%STATE%\netstat.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /r /c:":5672  *0\.0\.0\.0:0 " "%STATE%\netstat.txt" >nul
if not "%errorlevel%"=="1" goto :fail
"%SYSTEM%\netstat.exe" -an -p TCPv6 >"%STATE%\netstat.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /r /c:":5672  *\[::\]:0 " "%STATE%\netstat.txt" >nul
if not "%errorlevel%"=="1" goto :fail

set "STEP=list the connections"
call "%CTL%" -q list_connections user peer_cert_subject auth_mechanism ssl_protocol >"%STATE%\connections.txt"
if not "%errorlevel%"=="0" goto :fail
type "%STATE%\connections.txt"
if not "%errorlevel%"=="0" goto :fail
set "STEP=find a connection of callback-mq with EXTERNAL and TLS 1.2"
"%SYSTEM%\findstr.exe" /b /l /c:"callback-mq" "%STATE%\connections.txt" >"%STATE%\connection.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /c:"EXTERNAL" "%STATE%\connection.txt" >"%STATE%\external.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /c:"tlsv1.2" "%STATE%\external.txt" >nul
if not "%errorlevel%"=="0" goto :fail

echo RabbitMQ works over TLS with certificates only.
endlocal
exit /b 0

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
echo Nothing after this step was done. Run servers\MGMT01\rabbitmq\rollback-rabbitmq.cmd, and on every other server the one in the folder of that server, to go back.
endlocal
exit /b 1


