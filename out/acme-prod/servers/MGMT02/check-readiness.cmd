@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Checks, days before the change, that this server is ready for it; changes nothing
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
set "STATE=%ProgramData%\cbgen\acme-prod\2026.12.1\readiness"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready

set "SERVER=SQL01\CALLBACK"
set "CONFIG_DATABASE=VHT_Config"
set "REPORT_DATABASE=VHT_RPT"
set "PRODUCT=C:\Program Files (x86)\Virtual Hold Technology"
set "PROXY=C:\Program Files (x86)\Virtual Hold Technology\proxy"
set "POWERSHELL=%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe"
rem Everything is looked at, so that one run names all there is to do. PowerShell answers 3 for what is wrong; any other answer
rem than 0 says that it could not be asked, which is never fine.
set "OPEN="

"%POWERSHELL%" -NoProfile -NonInteractive -Command "if ((Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion' -ErrorAction Stop).CurrentBuildNumber -ne '14393') { exit 3 }; exit 0"
if "%errorlevel%"=="0" goto :windows_right
set "OPEN=yes"
echo OPEN: this is not Windows Server 2016 (build 14393), which the inventory says.
:windows_right
"%POWERSHELL%" -NoProfile -NonInteractive -Command "$r = (Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full' -ErrorAction Stop).Release; if ($r -lt 461308 -or $r -ge 461808) { exit 3 }; exit 0"
if "%errorlevel%"=="0" goto :framework_right
set "OPEN=yes"
echo OPEN: the value Release of the .NET Framework is not the one of 4.7.1: 461308 or more and less than 461808.
:framework_right
"%SYSTEM%\reg.exe" query "HKLM\SOFTWARE\Microsoft\InetStp" /v MajorVersion /reg:64 >nul 2>&1
if "%errorlevel%"=="0" goto :iis_found
set "OPEN=yes"
echo OPEN: IIS is not installed.
goto :logins_seen
:iis_found
rem NTLM belongs to a connection. Behind the proxy that is the connection of the proxy, so no login ends, and no page opens.
set "APPCMD=%SYSTEM%\inetsrv\appcmd.exe"
set "SITE=Default Web Site"
"%APPCMD%" list app "/site.name:%SITE%" /text:app.name >"%STATE%\applications.txt"
if "%errorlevel%"=="0" goto :applications_found
set "OPEN=yes"
echo OPEN: IIS cannot be asked for the applications of the site Default Web Site. Is iis.site of the inventory right?
goto :logins_seen
:applications_found
for /f "usebackq delims=" %%A in ("%STATE%\applications.txt") do call :application "%%A"
:logins_seen
"%SYSTEM%\reg.exe" query "HKLM\SOFTWARE\ODBC\ODBCINST.INI\ODBC Drivers" /v "SQL Server Native Client 11.0" /reg:64 >nul 2>&1
if "%errorlevel%"=="0" goto :driver_64
set "OPEN=yes"
echo OPEN: the 64-bit driver SQL Server Native Client 11.0 is not installed.
:driver_64
"%SYSTEM%\reg.exe" query "HKLM\SOFTWARE\ODBC\ODBCINST.INI\ODBC Drivers" /v "SQL Server Native Client 11.0" /reg:32 >nul 2>&1
if "%errorlevel%"=="0" goto :driver_32
set "OPEN=yes"
echo OPEN: the 32-bit driver SQL Server Native Client 11.0 is not installed.
:driver_32
"%POWERSHELL%" -NoProfile -NonInteractive -Command "foreach ($d in 'System32', 'SysWOW64') { $v = (Get-Item -LiteralPath ($env:SystemRoot + '\' + $d + '\sqlncli11.dll') -ErrorAction Stop).VersionInfo; if ((New-Object Version $v.FileMajorPart, $v.FileMinorPart, $v.FileBuildPart, $v.FilePrivatePart) -lt [version]'2011.110.7001.0') { exit 3 } }; exit 0"
if "%errorlevel%"=="0" goto :build_right
set "OPEN=yes"
echo OPEN: sqlncli11.dll is older than 2011.110.7001.0 (package 11.4.7001.0), the first with TLS 1.2, in System32 or SysWOW64.
:build_right
"%POWERSHELL%" -NoProfile -NonInteractive -Command "foreach ($d in $env:SystemDrive, $env:PRODUCT) { if ((New-Object IO.DriveInfo $d.Substring(0, 1)).AvailableFreeSpace -lt 2GB) { exit 3 } }; exit 0"
if "%errorlevel%"=="0" goto :space_left
set "OPEN=yes"
echo OPEN: the drive of Windows or of %PRODUCT% has less than 2 GB free, for copies and logs.
:space_left
if defined CALLBACK_OPENSSL goto :openssl_chosen
set "CALLBACK_OPENSSL=%ProgramFiles%\Git\mingw64\bin\openssl.exe"
if exist "%CALLBACK_OPENSSL%" goto :openssl_chosen
set "CALLBACK_OPENSSL=%ProgramFiles%\Git\usr\bin\openssl.exe"
:openssl_chosen
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
rem What is in force, with the policies of the domain: rules of this server do nothing where the firewall is off, or where a
rem policy ignores them. By numbers, whatever the language.
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "foreach ($p in Get-NetFirewallProfile -PolicyStore ActiveStore -ErrorAction Stop) { if ([int]$p.Enabled -ne 1) { exit 3 }; if ([int]$p.AllowLocalFirewallRules -eq 0) { exit 4 } }; exit 0"
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
sqlcmd -S "%SERVER%" -E -b "%TRUST%" -l 15 -Q "IF PARSENAME(CONVERT(nvarchar(32), SERVERPROPERTY('ProductVersion')), 4) <> 13 THROW 50101, N'another release', 1;" -o "%STATE%\release.txt"
if "%errorlevel%"=="0" goto :release_right
set "OPEN=yes"
echo OPEN: SQL Server %SERVER% is not 2016.
:release_right
rem Accounts without a name in the network log in as the one of the machine.
"%POWERSHELL%" -NoProfile -NonInteractive -Command "$ErrorActionPreference = 'Stop'; $m = $env:COMPUTERNAME + '$'; $n = @(Get-CimInstance Win32_Service | Where-Object { $_.PathName -and $_.StartName -and $_.PathName.IndexOf($env:PRODUCT, [StringComparison]::OrdinalIgnoreCase) -ge 0 -and $_.PathName.IndexOf($env:PROXY, [StringComparison]::OrdinalIgnoreCase) -lt 0 } | ForEach-Object { $_.StartName }); Import-Module WebAdministration; foreach ($w in @(Get-WebApplication)) { if ($w.PhysicalPath.IndexOf($env:PRODUCT, [StringComparison]::OrdinalIgnoreCase) -ge 0) { $p = Get-Item -LiteralPath ('IIS:\AppPools\' + $w.applicationPool); if ([string]$p.processModel.identityType -eq 'SpecificUser') { $n += $p.processModel.userName } else { $n += $m } } }; if ($n.Count -eq 0) { exit 3 }; $sid = [Security.Principal.SecurityIdentifier]; $o = foreach ($a in $n) { if ($a -eq 'LocalSystem') { $a = $m }; if ($a.StartsWith('.\')) { $a = $env:COMPUTERNAME + $a.Substring(1) }; $i = (New-Object Security.Principal.NTAccount $a).Translate($sid); if ($i.Value -match '\AS-1-5-(18$|20$|80-|82-)') { $i = (New-Object Security.Principal.NTAccount $m).Translate($sid) }; $i.Translate([Security.Principal.NTAccount]).Value }; if (($o -join '') -match '[\x25\x26\x27\x5e]') { exit 4 }; $o | Sort-Object -Unique; exit 0" >"%STATE%\accounts.txt"
if "%errorlevel%"=="0" goto :accounts_found
if not "%errorlevel%"=="3" goto :no_accounts
echo OPEN: no service runs from %PRODUCT%, so nobody knows which accounts log in to SQL Server. Is Callback installed there?
set "OPEN=yes"
goto :sql_done
:no_accounts
echo OPEN: the accounts of services and application pools below %PRODUCT% cannot be found out.
set "OPEN=yes"
goto :sql_done
:accounts_found
if not defined CALLBACK_LOGINS_SEEN set "CALLBACK_LOGINS_SEEN="
for /f "usebackq delims=" %%A in ("%STATE%\accounts.txt") do call :account "%%A"
:sql_done

rem Certificates, Erlang cookie, files and service of the broker: the script of the change itself, which keeps nothing today.
call "%~dp0rabbitmq\preflight.cmd" rehearse
if "%errorlevel%"=="0" goto :rehearsed
set "OPEN=yes"
echo OPEN: RabbitMQ is not ready; the step above says what is missing.
:rehearsed

if defined OPEN goto :not_ready
echo This server is ready.
endlocal
exit /b 0

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
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Nothing was changed. Mend what is open and run this script again.
endlocal
exit /b 1

