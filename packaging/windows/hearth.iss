; Installer for Windows, for Inno Setup 6.3 or newer. UNTESTED: no Windows was at hand. Made by windows_packages.py with
;   iscc /DVersion=... /DBundle=... /DTarget=... /DBaseName=... hearth.iss
; Installs for one person without administrator, or for all. Registers no address scheme and starts nothing by itself.

[Setup]
AppId={{8C0C6B0E-5D0B-4B61-9A27-6C1B8A1F6E42}
AppName=Hearth
AppVersion={#Version}
AppPublisher=Hearth
DefaultDirName={autopf}\Hearth
DefaultGroupName=Hearth
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
OutputDir={#Target}
OutputBaseFilename={#BaseName}
Compression=lzma2
SolidCompression=yes
ChangesAssociations=yes
CloseApplications=yes
UninstallDisplayIcon={app}\hearth.exe
WizardStyle=modern

[Languages]
Name: "en"; MessagesFile: "compiler:Default.isl"
Name: "de"; MessagesFile: "compiler:Languages\German.isl"

[CustomMessages]
en.Persona=Persona for Hearth
de.Persona=Persona für Hearth
en.OpenWith=Open with Hearth
de.OpenWith=Mit Hearth öffnen

[Tasks]
Name: "desktopicon"; Description: "{cm:CreateDesktopIcon}"; Flags: unchecked

[Files]
Source: "{#Bundle}\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[Icons]
Name: "{autoprograms}\Hearth"; Filename: "{app}\hearth.exe"
Name: "{autodesktop}\Hearth"; Filename: "{app}\hearth.exe"; Tasks: desktopicon

[Registry]
Root: HKA; Subkey: "Software\Classes\.hearth"; ValueType: string; ValueData: "Hearth.Persona"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\Hearth.Persona"; ValueType: string; ValueData: "{cm:Persona}"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\Hearth.Persona\DefaultIcon"; ValueType: string; ValueData: "{app}\hearth.exe,0"
Root: HKA; Subkey: "Software\Classes\Hearth.Persona\shell\open\command"; ValueType: string; ValueData: """{app}\hearth.exe"" open ""%1"""
; "Open with" for documents, without becoming the first choice for any.
Root: HKA; Subkey: "Software\Classes\Applications\hearth.exe"; ValueType: string; ValueName: "FriendlyAppName"; ValueData: "Hearth"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\Applications\hearth.exe\shell\open\command"; ValueType: string; ValueData: """{app}\hearth.exe"" open ""%1"""
#define Type(Suffix) "Root: HKA; Subkey: ""Software\Classes\Applications\hearth.exe\SupportedTypes""; ValueType: string; ValueName: """ + Suffix + """; ValueData: """""
#emit Type(".pdf")
#emit Type(".epub")
#emit Type(".txt")
#emit Type(".md")
#emit Type(".html")
#emit Type(".eml")
#emit Type(".docx")
#emit Type(".pptx")
#emit Type(".xlsx")
#emit Type(".odt")

[Run]
Filename: "{app}\hearth.exe"; Description: "{cm:LaunchProgram,Hearth}"; Flags: nowait postinstall skipifsilent
