@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Turn on TLS 1.2 and strong cryptography, with the old values saved first
rem Made by cbgen for MGMT02, bundle acme-prod 2026.12.1. Change the inventory, not this file.
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

set "STEP=check that this is MGMT02"
if /i "%COMPUTERNAME%"=="MGMT02" goto :right_server
echo This script was made for MGMT02; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-prod\2026.12.1\windows-tls"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready

set "REG=%SYSTEM%\reg.exe"
set "STEP=see that the registry answers"
rem A question that fails has the code of a value that is not there; this key is on every server.
"%REG%" query "HKLM\SOFTWARE" /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=find strong-crypto.reg"
if exist "%~dp0strong-crypto.reg" goto :found_1
echo strong-crypto.reg must lie beside this script. Unpack the bundle again.
goto :fail
:found_1
set "STEP=find tls-1.2.reg"
if exist "%~dp0tls-1.2.reg" goto :found_2
echo tls-1.2.reg must lie beside this script. Unpack the bundle again.
goto :fail
:found_2

rem The first run saves what was there before; a later run must not save its own values over it.
if exist "%STATE%\captured.txt" goto :captured

set "STEP=save the old value of SchUseStrongCrypto in HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319"
rem unchecked: files of an earlier run, if any; what counts is asked next
del /q "%STATE%\value-1.*" >nul 2>&1
if exist "%STATE%\value-1.absent" goto :fail
call :read "HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319" "SchUseStrongCrypto"
if "%errorlevel%"=="0" goto :present_1
if not "%errorlevel%"=="1" goto :fail
echo absent>"%STATE%\value-1.absent"
if not exist "%STATE%\value-1.absent" goto :fail
goto :saved_1
:present_1
copy /y "%STATE%\now.txt" "%STATE%\value-1.txt" >nul
if not "%errorlevel%"=="0" goto :fail
rem The whole key as well, for a repair by hand.
"%REG%" export "HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319" "%STATE%\key-1.reg" /y /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
:saved_1

set "STEP=save the old value of SystemDefaultTlsVersions in HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319"
rem unchecked: files of an earlier run, if any; what counts is asked next
del /q "%STATE%\value-2.*" >nul 2>&1
if exist "%STATE%\value-2.absent" goto :fail
call :read "HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319" "SystemDefaultTlsVersions"
if "%errorlevel%"=="0" goto :present_2
if not "%errorlevel%"=="1" goto :fail
echo absent>"%STATE%\value-2.absent"
if not exist "%STATE%\value-2.absent" goto :fail
goto :saved_2
:present_2
copy /y "%STATE%\now.txt" "%STATE%\value-2.txt" >nul
if not "%errorlevel%"=="0" goto :fail
rem The whole key as well, for a repair by hand.
"%REG%" export "HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319" "%STATE%\key-2.reg" /y /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
:saved_2

set "STEP=save the old value of SchUseStrongCrypto in HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319"
rem unchecked: files of an earlier run, if any; what counts is asked next
del /q "%STATE%\value-3.*" >nul 2>&1
if exist "%STATE%\value-3.absent" goto :fail
call :read "HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319" "SchUseStrongCrypto"
if "%errorlevel%"=="0" goto :present_3
if not "%errorlevel%"=="1" goto :fail
echo absent>"%STATE%\value-3.absent"
if not exist "%STATE%\value-3.absent" goto :fail
goto :saved_3
:present_3
copy /y "%STATE%\now.txt" "%STATE%\value-3.txt" >nul
if not "%errorlevel%"=="0" goto :fail
rem The whole key as well, for a repair by hand.
"%REG%" export "HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319" "%STATE%\key-3.reg" /y /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
:saved_3

set "STEP=save the old value of SystemDefaultTlsVersions in HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319"
rem unchecked: files of an earlier run, if any; what counts is asked next
del /q "%STATE%\value-4.*" >nul 2>&1
if exist "%STATE%\value-4.absent" goto :fail
call :read "HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319" "SystemDefaultTlsVersions"
if "%errorlevel%"=="0" goto :present_4
if not "%errorlevel%"=="1" goto :fail
echo absent>"%STATE%\value-4.absent"
if not exist "%STATE%\value-4.absent" goto :fail
goto :saved_4
:present_4
copy /y "%STATE%\now.txt" "%STATE%\value-4.txt" >nul
if not "%errorlevel%"=="0" goto :fail
rem The whole key as well, for a repair by hand.
"%REG%" export "HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319" "%STATE%\key-4.reg" /y /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
:saved_4

set "STEP=save the old value of SchUseStrongCrypto in HKLM\SOFTWARE\Microsoft\.NETFramework\v2.0.50727"
rem unchecked: files of an earlier run, if any; what counts is asked next
del /q "%STATE%\value-5.*" >nul 2>&1
if exist "%STATE%\value-5.absent" goto :fail
call :read "HKLM\SOFTWARE\Microsoft\.NETFramework\v2.0.50727" "SchUseStrongCrypto"
if "%errorlevel%"=="0" goto :present_5
if not "%errorlevel%"=="1" goto :fail
echo absent>"%STATE%\value-5.absent"
if not exist "%STATE%\value-5.absent" goto :fail
goto :saved_5
:present_5
copy /y "%STATE%\now.txt" "%STATE%\value-5.txt" >nul
if not "%errorlevel%"=="0" goto :fail
rem The whole key as well, for a repair by hand.
"%REG%" export "HKLM\SOFTWARE\Microsoft\.NETFramework\v2.0.50727" "%STATE%\key-5.reg" /y /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
:saved_5

set "STEP=save the old value of SystemDefaultTlsVersions in HKLM\SOFTWARE\Microsoft\.NETFramework\v2.0.50727"
rem unchecked: files of an earlier run, if any; what counts is asked next
del /q "%STATE%\value-6.*" >nul 2>&1
if exist "%STATE%\value-6.absent" goto :fail
call :read "HKLM\SOFTWARE\Microsoft\.NETFramework\v2.0.50727" "SystemDefaultTlsVersions"
if "%errorlevel%"=="0" goto :present_6
if not "%errorlevel%"=="1" goto :fail
echo absent>"%STATE%\value-6.absent"
if not exist "%STATE%\value-6.absent" goto :fail
goto :saved_6
:present_6
copy /y "%STATE%\now.txt" "%STATE%\value-6.txt" >nul
if not "%errorlevel%"=="0" goto :fail
rem The whole key as well, for a repair by hand.
"%REG%" export "HKLM\SOFTWARE\Microsoft\.NETFramework\v2.0.50727" "%STATE%\key-6.reg" /y /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
:saved_6

set "STEP=save the old value of SchUseStrongCrypto in HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v2.0.50727"
rem unchecked: files of an earlier run, if any; what counts is asked next
del /q "%STATE%\value-7.*" >nul 2>&1
if exist "%STATE%\value-7.absent" goto :fail
call :read "HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v2.0.50727" "SchUseStrongCrypto"
if "%errorlevel%"=="0" goto :present_7
if not "%errorlevel%"=="1" goto :fail
echo absent>"%STATE%\value-7.absent"
if not exist "%STATE%\value-7.absent" goto :fail
goto :saved_7
:present_7
copy /y "%STATE%\now.txt" "%STATE%\value-7.txt" >nul
if not "%errorlevel%"=="0" goto :fail
rem The whole key as well, for a repair by hand.
"%REG%" export "HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v2.0.50727" "%STATE%\key-7.reg" /y /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
:saved_7

set "STEP=save the old value of SystemDefaultTlsVersions in HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v2.0.50727"
rem unchecked: files of an earlier run, if any; what counts is asked next
del /q "%STATE%\value-8.*" >nul 2>&1
if exist "%STATE%\value-8.absent" goto :fail
call :read "HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v2.0.50727" "SystemDefaultTlsVersions"
if "%errorlevel%"=="0" goto :present_8
if not "%errorlevel%"=="1" goto :fail
echo absent>"%STATE%\value-8.absent"
if not exist "%STATE%\value-8.absent" goto :fail
goto :saved_8
:present_8
copy /y "%STATE%\now.txt" "%STATE%\value-8.txt" >nul
if not "%errorlevel%"=="0" goto :fail
rem The whole key as well, for a repair by hand.
"%REG%" export "HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v2.0.50727" "%STATE%\key-8.reg" /y /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
:saved_8

set "STEP=save the old value of Enabled in HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client"
rem unchecked: files of an earlier run, if any; what counts is asked next
del /q "%STATE%\value-9.*" >nul 2>&1
if exist "%STATE%\value-9.absent" goto :fail
call :read "HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client" "Enabled"
if "%errorlevel%"=="0" goto :present_9
if not "%errorlevel%"=="1" goto :fail
echo absent>"%STATE%\value-9.absent"
if not exist "%STATE%\value-9.absent" goto :fail
goto :saved_9
:present_9
copy /y "%STATE%\now.txt" "%STATE%\value-9.txt" >nul
if not "%errorlevel%"=="0" goto :fail
rem The whole key as well, for a repair by hand.
"%REG%" export "HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client" "%STATE%\key-9.reg" /y /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
:saved_9

set "STEP=save the old value of DisabledByDefault in HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client"
rem unchecked: files of an earlier run, if any; what counts is asked next
del /q "%STATE%\value-10.*" >nul 2>&1
if exist "%STATE%\value-10.absent" goto :fail
call :read "HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client" "DisabledByDefault"
if "%errorlevel%"=="0" goto :present_10
if not "%errorlevel%"=="1" goto :fail
echo absent>"%STATE%\value-10.absent"
if not exist "%STATE%\value-10.absent" goto :fail
goto :saved_10
:present_10
copy /y "%STATE%\now.txt" "%STATE%\value-10.txt" >nul
if not "%errorlevel%"=="0" goto :fail
rem The whole key as well, for a repair by hand.
"%REG%" export "HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client" "%STATE%\key-10.reg" /y /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
:saved_10

set "STEP=save the old value of Enabled in HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server"
rem unchecked: files of an earlier run, if any; what counts is asked next
del /q "%STATE%\value-11.*" >nul 2>&1
if exist "%STATE%\value-11.absent" goto :fail
call :read "HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server" "Enabled"
if "%errorlevel%"=="0" goto :present_11
if not "%errorlevel%"=="1" goto :fail
echo absent>"%STATE%\value-11.absent"
if not exist "%STATE%\value-11.absent" goto :fail
goto :saved_11
:present_11
copy /y "%STATE%\now.txt" "%STATE%\value-11.txt" >nul
if not "%errorlevel%"=="0" goto :fail
rem The whole key as well, for a repair by hand.
"%REG%" export "HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server" "%STATE%\key-11.reg" /y /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
:saved_11

set "STEP=save the old value of DisabledByDefault in HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server"
rem unchecked: files of an earlier run, if any; what counts is asked next
del /q "%STATE%\value-12.*" >nul 2>&1
if exist "%STATE%\value-12.absent" goto :fail
call :read "HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server" "DisabledByDefault"
if "%errorlevel%"=="0" goto :present_12
if not "%errorlevel%"=="1" goto :fail
echo absent>"%STATE%\value-12.absent"
if not exist "%STATE%\value-12.absent" goto :fail
goto :saved_12
:present_12
copy /y "%STATE%\now.txt" "%STATE%\value-12.txt" >nul
if not "%errorlevel%"=="0" goto :fail
rem The whole key as well, for a repair by hand.
"%REG%" export "HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server" "%STATE%\key-12.reg" /y /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
:saved_12

set "STEP=note that the old values are saved"
echo saved>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
if not exist "%STATE%\rolled-back.txt" goto :captured
del "%STATE%\rolled-back.txt"
if exist "%STATE%\rolled-back.txt" goto :fail
:captured

set "STEP=import strong-crypto.reg"
"%REG%" import "%~dp0strong-crypto.reg" /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=import tls-1.2.reg"
"%REG%" import "%~dp0tls-1.2.reg" /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail

rem An import can succeed and still leave a value out, so every value is read back.
set "STEP=read back SchUseStrongCrypto in HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319"
call :read "HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319" "SchUseStrongCrypto"
if not "%errorlevel%"=="0" goto :fail
if not "%TYPE%"=="REG_DWORD" goto :fail
if not "%DATA%"=="0x1" goto :fail

set "STEP=read back SystemDefaultTlsVersions in HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319"
call :read "HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319" "SystemDefaultTlsVersions"
if not "%errorlevel%"=="0" goto :fail
if not "%TYPE%"=="REG_DWORD" goto :fail
if not "%DATA%"=="0x1" goto :fail

set "STEP=read back SchUseStrongCrypto in HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319"
call :read "HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319" "SchUseStrongCrypto"
if not "%errorlevel%"=="0" goto :fail
if not "%TYPE%"=="REG_DWORD" goto :fail
if not "%DATA%"=="0x1" goto :fail

set "STEP=read back SystemDefaultTlsVersions in HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319"
call :read "HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319" "SystemDefaultTlsVersions"
if not "%errorlevel%"=="0" goto :fail
if not "%TYPE%"=="REG_DWORD" goto :fail
if not "%DATA%"=="0x1" goto :fail

set "STEP=read back SchUseStrongCrypto in HKLM\SOFTWARE\Microsoft\.NETFramework\v2.0.50727"
call :read "HKLM\SOFTWARE\Microsoft\.NETFramework\v2.0.50727" "SchUseStrongCrypto"
if not "%errorlevel%"=="0" goto :fail
if not "%TYPE%"=="REG_DWORD" goto :fail
if not "%DATA%"=="0x1" goto :fail

set "STEP=read back SystemDefaultTlsVersions in HKLM\SOFTWARE\Microsoft\.NETFramework\v2.0.50727"
call :read "HKLM\SOFTWARE\Microsoft\.NETFramework\v2.0.50727" "SystemDefaultTlsVersions"
if not "%errorlevel%"=="0" goto :fail
if not "%TYPE%"=="REG_DWORD" goto :fail
if not "%DATA%"=="0x1" goto :fail

set "STEP=read back SchUseStrongCrypto in HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v2.0.50727"
call :read "HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v2.0.50727" "SchUseStrongCrypto"
if not "%errorlevel%"=="0" goto :fail
if not "%TYPE%"=="REG_DWORD" goto :fail
if not "%DATA%"=="0x1" goto :fail

set "STEP=read back SystemDefaultTlsVersions in HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v2.0.50727"
call :read "HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v2.0.50727" "SystemDefaultTlsVersions"
if not "%errorlevel%"=="0" goto :fail
if not "%TYPE%"=="REG_DWORD" goto :fail
if not "%DATA%"=="0x1" goto :fail

set "STEP=read back Enabled in HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client"
call :read "HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client" "Enabled"
if not "%errorlevel%"=="0" goto :fail
if not "%TYPE%"=="REG_DWORD" goto :fail
if not "%DATA%"=="0x1" goto :fail

set "STEP=read back DisabledByDefault in HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client"
call :read "HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client" "DisabledByDefault"
if not "%errorlevel%"=="0" goto :fail
if not "%TYPE%"=="REG_DWORD" goto :fail
if not "%DATA%"=="0x0" goto :fail

set "STEP=read back Enabled in HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server"
call :read "HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server" "Enabled"
if not "%errorlevel%"=="0" goto :fail
if not "%TYPE%"=="REG_DWORD" goto :fail
if not "%DATA%"=="0x1" goto :fail

set "STEP=read back DisabledByDefault in HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server"
call :read "HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server" "DisabledByDefault"
if not "%errorlevel%"=="0" goto :fail
if not "%TYPE%"=="REG_DWORD" goto :fail
if not "%DATA%"=="0x0" goto :fail

echo All values are in place. The old ones are saved in %STATE%.
endlocal
exit /b 0

rem Reads one value: TYPE, DATA, and LINE as reg.exe prints it. Returns 1 when there is no such value.
:read
set "TYPE="
set "DATA="
set "LINE="
"%REG%" query "%~1" /v "%~2" /reg:64 >"%STATE%\now.txt" 2>nul
if not "%errorlevel%"=="0" exit /b %errorlevel%
call :parse "%STATE%\now.txt"
set "CODE=%errorlevel%"
exit /b %CODE%

rem The last line of the answer is the value; the line before it names the key.
:parse
rem A quote in the data could not be handed over safely, so it stops the work before anything changes.
"%SYSTEM%\find.exe" """" "%~1" >nul
if "%errorlevel%"=="0" goto :quote
if not "%errorlevel%"=="1" exit /b 4
for /f "usebackq delims=" %%A in ("%~1") do set "LINE=%%A"
for /f "usebackq tokens=2,*" %%A in ("%~1") do set "TYPE=%%A"
for /f "usebackq tokens=2,*" %%A in ("%~1") do set "DATA=%%B"
if not defined TYPE exit /b 3
exit /b 0
:quote
echo The stored value holds a quote. Note it, delete it by hand, then run this script again.
exit /b 2


:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again, or run servers\MGMT02\registry\rollback-windows-tls.cmd to go back.
endlocal
exit /b 1



